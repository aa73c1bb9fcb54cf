"""Reuters-21578, cut to the 90 topics that occur in training and test."""

from .entry import CatalogEntry, files

ENTRY = CatalogEntry(
    name="reuters21578",
    title="Reuters-21578 R(90): newswire stories of 1987 and their topics",
    modality="text",
    origin="http://www.daviddlewis.com/resources/testcollections/reuters21578/",
    licence="research only; copyright stays with Reuters Ltd. (README of Distribution 1.0)",
    citation="D. D. Lewis, Reuters-21578, Distribution 1.0, 1997",
    rows={"train": 7770, "test": 3019},
    labels=90,
    cardinality=1.235,
    format="reuters-sgml",
    files=files(
        """
0ec53cda8f6d605a3ba710df14be7f00fc02f0c222a14748101df22326afe0f6 1324350 reut2-000.sgm
1528e7e82d110d88d0234eb9619eadb7f9fd805711971df05975b92277dfdf4d 1254440 reut2-001.sgm
99f18068d0518952987dedd78c622e5c2a584e357d264d3754696c815f3e6628 1217495 reut2-002.sgm
78a3a8d7e04bc9d42c4614d5d5c60a4293dbe3f708df6fb5a71d9ef31f4b3fa3 1298721 reut2-003.sgm
726342c19a65873330b412378cd6a3f0d512035f5223146ddd60930c62eb6ff0 1321623 reut2-004.sgm
d09de619b6dd2d047d5124681f6df90550abaf592020d1c1ce338ae9b91522e7 1388644 reut2-005.sgm
b5535c0d66b01f4976f84621a4a795afbc00d2c4bd0a1b7ae426df6630fb361d 1254765 reut2-006.sgm
aa706007ec84a03537a3921ca976d60e11b3f99e4b9e9b2d5c81dd384d2c2062 1256772 reut2-007.sgm
a3994583694a00b7c744097c1d7eabfcf90f2e6650cc21663e46828035a336cb 1410117 reut2-008.sgm
29995f606dd1a9bdf907eacc9d879846c716860d9d9141676979474aaea39c7d 1338903 reut2-009.sgm
996df6008089bd09fa5b28a4d2eb0ee5f7b9d4601cde566fed3926ac82960fa3 1371071 reut2-010.sgm
d3a2782015247d9c2bffb8926267827fdd449c70d619435ef01a25a1c56a53ca 1304117 reut2-011.sgm
da31035d483851f2aebce5b66d779e5e2c0ac9dcfe098596c6d544e81c5604ab 1323584 reut2-012.sgm
8f7700bc0455fac3fcc12377ced4807b7df8aba1f21ecad059b9cc2b1cf0b8be 1129687 reut2-013.sgm
ef936bd3e0f36cf722afa9a6957563549775af32e9e28b4f539c8737ceda83ab 1128671 reut2-014.sgm
6d3bcec73eff871b8a5403588af814c4e50a0de6bc25707480522ab836f74026 1258665 reut2-015.sgm
be2f03a185fff70131f3b4fdbd6229b7ee2be077eba9691eaa597c8cfbda8812 1316417 reut2-016.sgm
f370e610b4b1342e41a98e0c426a08541044bd1d7e539674f32372a6060b73b5 1546911 reut2-017.sgm
a5f971bf25448e915781962309e669359a35fbcaf3017a806eca0590897f209a 1258819 reut2-018.sgm
d3b07097fba2633d130b4914aceba671645985248943ce9e39c289315339dffb 1261780 reut2-019.sgm
f6ad1b724125c202566c63b35ea0b5ee23881f8b7ed47a32829d5af05d8e860d 1049566 reut2-020.sgm
3f5196d32869723c9042aa5756805b4e90360f1f45ea17f4594fa0e2b3630b18 621648 reut2-021.sgm
""",
        address="https://github.com/colibri17/TextCategorization/raw/46c45d4a0d0cb7819a1bfb79973f17cfdbbc5e98/reuters21578",
    ),
    archives=("reuters21578_sgml.tar.gz", "reuters21578.tar.gz"),
    folder="reuters21578",
    note="NLTK's ApteMod has one training story less (7,769). The files are a public copy of the release on GitHub.",
)
