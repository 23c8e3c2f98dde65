"""What people write before a value, in the languages and scripts that forms come in."""

from typing import Final

from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.kinds import Kind

_LATIN: Final = {
    Kind.BIRTH: """
        dogum tarihi, ur, urodzony, urodzona, data urodzenia, narozen, narozena, datum narozeni, datum narodenia,
        szuletett, szuletesi datum, nascut, nascuta, data nasterii, syntynyt, syntymaaika, fodd, fodelsedatum,
        fodt, fodselsdato, geboren, geboren am, geboren op, geburtsdatum, geboortedatum, tanggal lahir, lahir,
        ngay sinh, naci, nacido, nacida, fecha de nacimiento, nascido, nascida, data de nascimento, nato, nata,
        data di nascita, ne le, nee le, date de naissance, roden, rodena, datum rodenja, dzimis, dzimusi, gimes,
        sunniaeg, sundinud, date of birth, dob, born on, tarehe ya kuzaliwa
    """,
    Kind.ADDRESS: """
        anschrift, wohnanschrift, wohnhaft, adresse, adressen, adres, adress, direccion, domicilio, indirizzo,
        residente in, residente a, endereco, morada, bydliste, trvale bytem, bytem, adresa, lakcim, osoite,
        kotiosoite, alamat, address, home address, postal address, shipping address, billing address, street,
        street address, addr, address line 1, address_line_1, addressline1, strasse, mailing address, delivery address, wohnort, adres zamieszkania, zamieszkaly, zamieszkala,
        mieszkam przy, bostadsadress, bopael, dia chi, adrese, adresas, aadress, helbidea, adreca, anwani, tirahan
    """,
}  # fmt: skip
_WIDE: Final = {
    Kind.IDENT: """
        паспорт, паспорта, серия и номер, инн, снилс, огрн, полис, удостоверение, водительское удостоверение, рнокпп,
        ипн, іпн, єдрпоу, егн, лнч, лична карта, jmbг, јмбг, αφμ, α.φ.μ., αμκα, ταυτότητα, αριθμός ταυτότητας, διαβατήριο,
        身份证, 身份证号, 身份证号码, 護照號碼, 护照, 护照号, 护照号码, 身分證字號, 身分證, 驾照号, 社保号, 车牌号, マイナンバー,
        個人番号, パスポート番号, 旅券番号, 運転免許証番号, 会員番号, 주민등록번호, 여권번호, 운전면허번호, 사업자등록번호,
        رقم الهوية, رقم الهوية الوطنية, رقم الجواز, رقم جواز السفر, جواز السفر, رقم الإقامة, کد ملی, شماره پاسپورت,
        תעודת זהות, מספר זהות, ת.ז., ת.ז, דרכון, מספר דרכון, आधार, आधार नंबर, पैन, पासपोर्ट नंबर, เลขบัตรประชาชน,
        เลขประจำตัวประชาชน, หนังสือเดินทาง, số cmnd, số cccd, số hộ chiếu, căn cước
    """,
    Kind.ACCOUNT: """
        номер счета, номер счёта, расчетный счет, банковская карта, 银行卡号, 银行账号, 銀行帳號, 口座番号, 계좌번호,
        رقم الحساب, מספר חשבון, खाता संख्या, เลขที่บัญชี, số tài khoản, αριθμός λογαριασμού
    """,
    Kind.PHONE: """
        телефон, тел, тел., моб., мобильный, номер телефона, мой номер, звоните, τηλέφωνο, τηλ, τηλ., κινητό, 手机,
        手机号, 手机号码, 电话, 电话号码, 電話, 電話番号, 聯絡電話, 携帯, 携帯番号, 전화, 전화번호, 휴대폰, 연락처, هاتف, رقم الهاتف,
        رقم هاتفي, جوال, موبايل, تلفن, טלפון, נייד, מספר טלפון, फ़ोन, फोन नंबर, फ़ोन नंबर, मोबाइल, मोबाइल नंबर, เบอร์โทร, เบอร์, โทร,
        điện thoại, số điện thoại, sđt
    """,
    Kind.SECRET: """
        пароль, пин-код, 密码, 密碼, 口令, パスワード, 暗証番号, 비밀번호, كلمة المرور, كلمة السر, رمز عبور, סיסמה, סיסמא, पासवर्ड,
        รหัสผ่าน, mật khẩu, κωδικός πρόσβασης
    """,
    Kind.BIRTH: """
        дата рождения, родился, родилась, д.р., народився, народилася, дата народження, роден, родена, 出生日期, 生日,
        出生, 生年月日, 誕生日, 생년월일, 생일, تاريخ الميلاد, مواليد, تاریخ تولد, תאריך לידה, जन्म तिथि, जन्मतिथि, วันเกิด, วันเดือนปีเกิด,
        ngày sinh, γεννήθηκε, ημερομηνία γέννησης
    """,
    Kind.HANDLE: "微信号, 微信, qq号, 微博, ラインid, 카카오톡, вконтакте, телеграм",
    Kind.ADDRESS: """
        адрес, живу по адресу, проживаю, проживает, прописан, прописана, адреса, διεύθυνση, 地址, 住址, 家庭住址, 住所, 주소,
        العنوان, عنوان, آدرس, כתובת, पता, ที่อยู่, địa chỉ
    """,
}  # fmt: skip


def _by_label(table: dict[Kind, str]) -> dict[str, Kind]:
    return {
        " ".join(folded(label).split()): kind
        for kind, labels in table.items()
        for label in labels.split(",")
    }


EVERY: Final = _by_label(_LATIN) | _by_label(_WIDE)
LATIN: Final = [label for label in EVERY if label.isascii()]
"""As a folded text shows them; Vietnamese and some of Cyrillic are Latin by then."""
WIDE: Final = [label for label in EVERY if not label.isascii()]
