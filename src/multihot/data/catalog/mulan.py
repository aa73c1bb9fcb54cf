"""Eleven small benchmark sets of the Mulan project, with ready features."""

from collections.abc import Mapping

from .entry import CatalogEntry, files

ADDRESS = "https://github.com/tsoumakas/mulan/raw/43f63890/data/multi-label"


def _entry(name: str, title: str, rows: Mapping[str, int], labels: int, cardinality: float, citation: str, table: str) -> CatalogEntry:
    return CatalogEntry(
        name=f"mulan/{name}",
        title=f"Mulan {name}: {title}",
        modality="table",
        origin="https://github.com/tsoumakas/mulan/tree/master/data/multi-label",
        licence="none stated; distributed for research",
        citation=citation,
        rows=rows,
        labels=labels,
        cardinality=cardinality,
        format="arff",
        files=files(table, address=f"{ADDRESS}/{name}"),
        archives=(f"{name}.zip",),
        folder="mulan",
    )


ENTRIES = (
    _entry(
        "bibtex",
        "bibliography entries and their tags",
        {"train": 4880, "test": 2515},
        159,
        2.402,
        "Katakis et al., ECML PKDD Discovery Challenge 2008",
        """
8dcc9de6e0b2cebaec8c1f4fac78431adeeb73cfd3ab879b530a66d366e59174 2292961 bibtex-train.arff
9b03329cde64d3f994bdf7fbbac3f3b10fe185c311cb9ae725475f59c7f3f922 1215637 bibtex-test.arff
08fe20013c1e75dcf1888c185f5187c95e76495b8518ce289b4d3afce38d1232 5880 bibtex.xml
""",
    ),
    _entry(
        "birds",
        "bird sounds and the species heard",
        {"train": 322, "test": 323},
        19,
        1.014,
        "Briggs et al., MLSP 2013",
        """
8f215db6ee163149901e753977f631ba8bea0e0e8e1abc42b234414822f8ae36 539367 birds-train.arff
51ba6326d65ccdd7c755b6461280eb6d2769c7f59d8e12fd4250f91e6ca28326 540883 birds-test.arff
0f4ea547b2b3d538c8402662daf689e0d4520cc8b4f5ba113c2e7c01700f010f 889 birds.xml
""",
    ),
    _entry(
        "cal500",
        "songs and words that describe them",
        {"train": 502},
        174,
        26.044,
        "Turnbull et al., IEEE TASLP 2008",
        """
cfe6097ba5fd6e8584e54911ab9783dcab34e898446b7c9370c71d477eae56d3 492857 cal500.arff
877e128531268d7661faa3e44f7bb43cbcda829c0895e49879168775b192728c 7901 cal500.xml
""",
    ),
    _entry(
        "corel5k",
        "image regions and words",
        {"train": 4500, "test": 500},
        374,
        3.522,
        "Duygulu et al., ECCV 2002",
        """
19eb253c447144bea74ffa86b4731a56022addae2ba7d0aab72ad07fdc02e9b3 339535 Corel5k-train-sparse.arff
e8f8e9cd052c43ba7bdfdf99d242f461fc8c2a03163466d921e576887b51d8a7 60876 Corel5k-test-sparse.arff
54ef6a6ccb7ca9b77524052b34b306d5d501661a5609b9d1cc7085b2b597679d 11222 Corel5k.xml
""",
    ),
    _entry(
        "emotions",
        "music and the emotions it evokes",
        {"train": 391, "test": 202},
        6,
        1.869,
        "Trohidis et al., ISMIR 2008",
        """
bbe704106c79bb8fb99c1d1d2e9bde081d6a2daeb01f100862f11fd91a3c1f98 252080 emotions-train.arff
f13d4b746b7b5c8eb484bd751d6ac463d4560dff998a93516a5c1fe35daf6c8f 132007 emotions-test.arff
dbce8e6ccbbb2fcbfd9e9edbb230d7ed12692c6e13f59fdbc0161fa9b6cf2dc0 323 emotions.xml
""",
    ),
    _entry(
        "flags",
        "flags of nations and their colours",
        {"train": 129, "test": 65},
        7,
        3.392,
        "Goncalves et al., ICTAI 2013",
        """
1861cdab7f8baf1aef6fb6198f304465ddfd99b7f9a435337c604119522df3c5 7707 flags-train.arff
09f6136fae47dcc2f0f491efd6401a11072cbfb0bfbb2666c63b35bb06aeeb16 4218 flags-test.arff
7c9ed21a91b716b91f811323e20ee5a260ea2da62a5edcfeb1b91ec855a48f17 304 flags.xml
""",
    ),
    _entry(
        "foodtruck",
        "answers to a survey and preferred food trucks",
        {"train": 407},
        12,
        2.29,
        "Rivolli et al., 2017",
        """
f69e028cd3427b009a2b3147d78e6c955bc43c9dc1434d23e589a206fa332be3 36991 foodtruck.arff
a018e2a20480ef0c90c588ecc0bc4912f272a091fc26b00482377338e48b0c0d 527 foodtruck.xml
""",
    ),
    _entry(
        "genbase",
        "proteins and their functions",
        {"train": 463, "test": 199},
        27,
        1.252,
        "Diplaris et al., PCI 2005",
        """
37670db2c2b308a1c163d05501819526f1d65d659638ddfb76812d4ce384b5c6 1714007 genbase-train.arff
0e988520bedab39aa3f23f08f646c769bcdb6f9119ee298fd92b37127b226a36 758739 genbase-test.arff
198e8a1d7070e9603119e02e626cedc589db7577339b307b06f5192047b69eb9 992 genbase.xml
""",
    ),
    _entry(
        "scene",
        "photographs and what they show",
        {"train": 1211, "test": 1196},
        6,
        1.074,
        "Boutell et al., Pattern Recognition 2004",
        """
b53ba93bdf412de922e3960389bcee24744fa3e872ce610511fc1d750888b64d 3127968 scene-train.arff
ea38d20296b3ff7e220f477a3b802a9bcb2d768881fe6ee163efbc97ea527a42 3090742 scene-test.arff
55d8b247b949ad5c52e5a73d8c6775ec6e5469ce9682465b45b333b68ee4bcc5 285 scene.xml
""",
    ),
    _entry(
        "tmc2007-500",
        "aviation safety reports and their problems",
        {"train": 21519, "test": 7077},
        22,
        2.158,
        "Srivastava and Zane-Ulman, IEEE Aerospace 2005",
        """
edfe7b7615c6f80e54c92a214437610d1ae36560c5cc6c4253b51c434d258273 3152791 tmc2007-500-train.arff
b24f9c3f1eba77c9da0bbaff093ba41d331b7351be0167a8e1e3852c62e25e38 1054414 tmc2007-500-test.arff
cb6a67c8ae72fd9b47d89f77aa5b7f6cafb4ba9c20b1124c65a95a3f2caec38d 783 tmc2007-500.xml
""",
    ),
    _entry(
        "yeast",
        "genes and their functional classes",
        {"train": 1500, "test": 917},
        14,
        4.237,
        "Elisseeff and Weston, NIPS 2001",
        """
e759dc991ff54694a4ff9c4314f3be0d6fd2b1994a4b563f57e416394c6aebbd 1501117 yeast-train.arff
4aaac102bff9669a765bf0b378602e5cc8c3b181048282e2f003117b496d552a 918515 yeast-test.arff
c3056cc26444b5158b1588d1b73bec9c45429e10f0957ad085903423cb81f247 526 yeast.xml
""",
    ),
)
