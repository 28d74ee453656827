"""Names that stand in a byline but are no author's: news agencies, newspapers, sections, provinces, and words for the staff.

Where a name alone does not tell ("Theo Thanh Niên", "Theo Lam Khê"), these do. Facts, not a training set; all in small letters.
"""

from __future__ import annotations

__all__ = ["AGENCIES", "OUTLETS", "PLACES", "SECTIONS", "STAFF"]


def _names(text: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in text.split(","))


AGENCIES = _names("""
    ttxvn, thông tấn xã việt nam, vna, vietnam+, vietnamplus, thx, tân hoa xã, xinhua, reuters, afp, ap, upi, dpa, efe, ansa,
    bernama, antara, kyodo, kyodo news, yonhap, kcna, tass, itar-tass, ria novosti, sputnik, interfax, bloomberg, getty images,
    getty, epa, pti, ani, anadolu
""")
OUTLETS = _names("""
    thanh niên, tuổi trẻ, tuổi trẻ online, lao động, người lao động, nlđ, tiền phong, dân trí, vnexpress, zing, zing news, znews,
    news.zing, vietnamnet, nhân dân, báo nhân dân, quân đội nhân dân, công an nhân dân, cand, đại đoàn kết, sài gòn giải phóng,
    sggp, pháp luật tp.hcm, pháp luật việt nam, plo, vov, vtv, vtc, vtc news, htv, infonet, kenh14, kênh 14, k14, trí thức trẻ, phụ
    nữ việt nam, phụ nữ mới, phụ nữ tp.hcm, gia đình và xã hội, sức khỏe và đời sống, đời sống và pháp luật, đời sống pháp luật,
    người đưa tin, công lý, giao thông, hà nội mới, hànộimới, an ninh thủ đô, kinh tế đô thị, thời báo kinh tế việt nam, vneconomy,
    cafef, cafebiz, genk, soha, afamily, 24h, bóng đá, bongda+, thể thao 247, thể thao & văn hóa, doanh nhân sài gòn, đầu tư, nhà
    đầu tư, nông nghiệp việt nam, dân việt, tài nguyên và môi trường, xây dựng, công thương, lđo, tno, tto, vne, bbc, bbc news, cnn,
    cnbc, forbes, fortune, time, newsweek, the guardian, guardian, new york times, the new york times, daily mail, washington post,
    wall street journal, wsj, financial times, the sun, marca, espn, sky sports, scmp, rt, ew, people, variety, billboard, business
    insider, techcrunch, the verge, wired, mirror, telegraph, the telegraph, xinhuanet, sina, sohu, qq, korea times
""")
SECTIONS = _names("""
    thời sự, xã hội, chính trị, pháp luật, thế giới, kinh tế, kinh doanh, tài chính, giáo dục, đời sống, thể thao, giải trí, văn
    hóa, văn nghệ, sức khỏe, y tế, công nghệ, khoa học, du lịch, bất động sản, nhà đất, xe, ô tô, xe máy, bạn đọc, góc nhìn, ý kiến,
    sống, sống trẻ, star, sao, gia đình, tình yêu, thời trang, làm đẹp, ẩm thực, âm nhạc, phim, điện ảnh, bóng đá, tin tức, tin
    nóng, tin mới, trang chủ, video, ảnh, media, quốc tế, trong nước, doanh nghiệp, thị trường, chứng khoán, môi trường, giao thông,
    đô thị, nông thôn, tuyển sinh, thông báo, sự kiện, blog
""")
PLACES = _names("""
    việt nam, hà nội, tp.hcm, tp hcm, tp. hcm, tphcm, tp hồ chí minh, tp. hồ chí minh, thành phố hồ chí minh, sài gòn, hải phòng, đà
    nẵng, cần thơ, huế, an giang, bà rịa - vũng tàu, vũng tàu, bạc liêu, bắc giang, bắc kạn, bắc ninh, bến tre, bình dương, bình
    định, bình phước, bình thuận, cà mau, cao bằng, đắk lắk, đắk nông, điện biên, đồng nai, đồng tháp, gia lai, hà giang, hà nam, hà
    tĩnh, hải dương, hậu giang, hòa bình, hưng yên, khánh hòa, kiên giang, kon tum, lai châu, lạng sơn, lào cai, lâm đồng, long an,
    nam định, nghệ an, ninh bình, ninh thuận, phú thọ, phú yên, quảng bình, quảng nam, quảng ngãi, quảng ninh, quảng trị, sóc trăng,
    sơn la, tây ninh, thái bình, thái nguyên, thanh hóa, thừa thiên huế, tiền giang, trà vinh, tuyên quang, vĩnh long, vĩnh phúc,
    yên bái, washington, paris, london, moscow, bắc kinh, tokyo, seoul
""")
# Words of a signature that names nobody; they are printed as an author all the same.
STAFF = _names("pv, p.v, p.v., btv, b.t.v, ctv, phóng viên, biên tập viên, cộng tác viên, ban biên tập, ban bạn đọc, tòa soạn, toà soạn")
