"""Publisher networks: publishers that share an owner or a publishing system, and so share layouts.

Whole networks are left out together (`training/leave_out.py`), and the folds of the second context pass are networks.
"""

from __future__ import annotations

__all__ = ["NETWORKS", "network_of"]

# Grouped so that about as many pages are in each; publishers in none form one more group.
NETWORKS = (
    # VnExpress; the portals of Đắk Nông; travel companies
    frozenset(
        (
            "vnexpress", "ngoisao", "ione", "hdnddaknong", "krongnogov", "stnmtdaknong", "svhttdldaknong", "ubmttqdaknong",
            "vntrip", "hoangviettravel", "mia", "vivuhalong", "dulichvinhhalong", "iccdalan",
        )
    ),
    # VCCorp and the papers and portals on its system; Vietnam National University and other universities
    frozenset(
        (
            "kenh14", "afamily", "cafebiz", "cafef", "genk", "giadinhnet", "suckhoedoisong", "baochinhphu", "xaydungchinhsach",
            "vtv", "tuoitre", "cuoi_tuoitre", "thanhnien", "nld", "uet", "usshvnu", "vnu", "usshhcm", "hust", "ctthust", "tshust",
            "samihust",
        )
    ),
    # Zing and papers that resemble it; company sites
    frozenset(
        (
            "zing", "24h", "thesaigontimes", "plo", "anhp", "thoidai", "baolaocai", "vietnamnet", "vov", "tienphong",
            "viettelpost", "agribankq5", "branddoctor", "dienlanhvineco", "vincityhanoi", "xrlab", "phuongdong", "baophuongdong",
        )
    ),
)  # fmt: skip


def network_of(publisher: str) -> int:
    """Return the index of the publisher's network; len(NETWORKS) if it is in none."""
    return next((number for number, network in enumerate(NETWORKS) if publisher in network), len(NETWORKS))
