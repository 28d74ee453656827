"""Publisher networks: publishers that share an owner or a publishing system, and so share layouts.

Whole networks are left out together (`training/leave_out.py`), and the folds of the second context pass consist of networks.
"""

from __future__ import annotations

__all__ = ["NETWORKS", "network_of"]

# Publishers in none form one more group.
NETWORKS = (
    # VnExpress
    frozenset(("vnexpress", "ngoisao", "ione")),
    # VCCorp, and the papers and portals on its system
    frozenset(
        (
            "kenh14", "afamily", "cafebiz", "cafef", "genk", "giadinhnet", "suckhoedoisong", "baochinhphu", "xaydungchinhsach",
            "vtv", "tuoitre", "cuoi_tuoitre", "thanhnien", "nld",
        )
    ),
    # Zing and papers that resemble it
    frozenset(("zing", "24h", "thesaigontimes", "plo", "anhp", "thoidai", "baolaocai")),
    # papers of ministries, parties and broadcasters
    frozenset(("vietnamnet", "vov", "tienphong", "laodong", "congly", "baoxaydung")),
    # the portals of Đắk Nông; universities
    frozenset(
        (
            "hdnddaknong", "krongnogov", "stnmtdaknong", "svhttdldaknong", "ubmttqdaknong",
            "uet", "usshvnu", "vnu", "usshhcm", "hust", "ctthust", "tshust", "samihust",
        )
    ),
    # travel and other companies
    frozenset(
        (
            "vntrip", "hoangviettravel", "mia", "vivuhalong", "dulichvinhhalong", "iccdalan", "viettelpost", "agribankq5", "branddoctor",
            "dienlanhvineco", "vincityhanoi", "xrlab", "phuongdong", "baophuongdong",
        )
    ),
    # women's and entertainment sites; sports
    frozenset(("yeusong", "yeuvasong", "xinhxinh", "teen9x", "phunuvietnam", "thethao247", "doisongphapluat")),
)  # fmt: skip


def network_of(publisher: str) -> int:
    """Return the index of the publisher's network; len(NETWORKS) if it is in none."""
    return next((number for number, network in enumerate(NETWORKS) if publisher in network), len(NETWORKS))
