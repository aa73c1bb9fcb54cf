"""Sixteen tables of label distribution learning."""

from collections.abc import Sequence

from .entry import CatalogEntry, files

RATINGS = ("1", "2", "3", "4", "5")
YEAST = "Geng, Label Distribution Learning, IEEE TKDE 2016 (data: Eisen et al., PNAS 1998)"


def _entry(name: str, title: str, rows: int, labels: Sequence[str], citation: str, file: str, **more: str) -> CatalogEntry:
    member = file.split()[2]
    return CatalogEntry(
        name=f"ldl-{name}",
        title=title,
        modality="table",
        origin="https://github.com/SpriteMisaka/PyLDL (datasets)",
        licence="PyLDL is under the MIT licence; none stated for the data, which their collectors offer for research",
        citation=citation,
        rows={"train": rows},
        labels=len(labels),
        cardinality=1.0,  # degrees of a row sum to 1
        format="ldl-mat",
        files=files(file),
        archives=(member.replace(".mat", ".zip"),),
        folder="ldl",
        reading={"labels": tuple(labels)},
        note=more.get("note", "No official split, and no public address of these files: get it with --from."),
    )


def _numbered(word: str, count: int) -> tuple[str, ...]:
    return tuple(f"{word} {number}" for number in range(1, count + 1))


def _yeast(name: str, points: int, file: str) -> CatalogEntry:
    title = f"Yeast {name}: expression of a gene at {points} points of time, as shares of their sum"
    return _entry(f"yeast-{name}", title, 2465, _numbered(name, points), YEAST, file)


ENTRIES = (
    _yeast("alpha", 18, "8b7f7788371326776299407785a5520cd05b194f57cf3babdeb21fe3d4281167 646769 Yeast_alpha.mat"),
    _yeast("cdc", 15, "c59015213b54a93d1142c2dda0cf4907b5672d25d3343abc8b34f1cf8ce7ccc9 590970 Yeast_cdc.mat"),
    _yeast("elu", 14, "d78808326a3e80ada817e1fb77308a4561a23176843a216f458e77e0e2a8937f 572377 Yeast_elu.mat"),
    _yeast("diau", 7, "adb77a20d5d84ea0e28bfa5c99ba094e9ba950b0d0e65bfb24551badfb8ce1ac 444769 Yeast_diau.mat"),
    _yeast("heat", 6, "6d55eccc10c97969542c5acc58194e34fe046557f876fc1ae3cd3f7a46159c94 426439 Yeast_heat.mat"),
    _yeast("spo", 6, "5a0bf3c55f268b24ff8b846a135befe2bc25ed085a46fc1c4b7f4c1f4c8ff16f 426822 Yeast_spo.mat"),
    _yeast("cold", 4, "7b1f599ec4791052f9549c62cc6c8677af3e982a9f4bddb298c2bb2694811f21 389617 Yeast_cold.mat"),
    _yeast("dtt", 4, "26ecc88e892f5964140ff144d372d15c83112f10e781c8ed497458b9286e1f1a 389264 Yeast_dtt.mat"),
    _yeast("spo5", 3, "24e55ad6a9e68fcf80880e526c617ef44bd496022b99e49e397356e6b5e520ad 371301 Yeast_spo5.mat"),
    _yeast("spoem", 2, "925259095ffe88269661e39fdeea39e558954356817b0480d777a98bbc917ca1 352648 Yeast_spoem.mat"),
    _entry(
        "sbu-3dfe",
        "SBU 3DFE: faces and how strongly they show six emotions",
        2500,
        _numbered("emotion", 6),
        "Geng, Label Distribution Learning, IEEE TKDE 2016; Yin et al., FG 2006",
        "59dec80525aaa859b8400a92e5b94e54b405ce6ed60bfad9ec95e58964e84707 2942862 SBU_3DFE.mat",
        note="The file does not say which column is which of happiness, sadness, surprise, fear, anger and disgust. Get it with --from.",
    ),
    _entry(
        "movie",
        "Movie: films and the shares of their ratings from 1 to 5",
        7755,
        RATINGS,
        "Geng, Label Distribution Learning, IEEE TKDE 2016",
        "5c8629905fdf18640410d43b30f1a84c17473df38e48f279f5a2af11019a1bac 681692 Movie.mat",
    ),
    _entry(
        "m2b",
        "M2B: faces and the shares of ratings of their beauty from 1 to 5",
        1240,
        RATINGS,
        "Nguyen et al., Sense Beauty via Face, Dressing, and/or Voice, ACM Multimedia 2012",
        "75d4fe5340eb120a9ce29eed9174711c8a5f093d9ae3b410bcbff9865e5868f6 2375079 M2B.mat",
    ),
    _entry(
        "scut-fbp",
        "SCUT-FBP: faces and the shares of ratings of their beauty from 1 to 5",
        1500,
        RATINGS,
        "Xie et al., SCUT-FBP: A Benchmark Dataset for Facial Beauty Perception, SMC 2015",
        "2851c11a0b98ad84483784230b597eca81108583b60ed3cc8674816ab48c03de 1584241 SCUT_FBP.mat",
    ),
    _entry(
        "music",
        "Music: pieces and how strongly they evoke nine emotions",
        360,
        _numbered("emotion", 9),
        "as gathered by PyLDL",
        "0de6c00768d30a3be522c59543ec4210efab6b1fa65f7973917d97075413c990 394816 Music.mat",
        note="The file does not say which column is which emotion. Get it with --from.",
    ),
    _entry(
        "fg-net",
        "FG-NET: features of faces and their ages from 0 to 69",
        1002,
        [str(age) for age in range(70)],
        "Lanitis et al., Toward Automatic Simulation of Aging Effects on Face Images, IEEE TPAMI 2002",
        "9b016b9304a2f75a1fa9b41b455dca8c07d779d2580dbb1d4f25f33ff8bf5c33 2015649 FG-Net.mat",
        note="Read as ages; data.distribution=degrees reads the file's own distributions instead. Get it with --from.",
    ),
)
