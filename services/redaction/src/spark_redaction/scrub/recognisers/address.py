"""Streets and post boxes as the larger countries write them, with what follows them."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Found, Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.recognisers.counts import counts
from spark_redaction.scrub.recognisers.place_key import place_key
from spark_redaction.scrub.view import View

_WORDS: Final = (
    "zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
).split()
_NUMBER_WORDS: Final = frozenset(word.encode() for word in _WORDS)
NUMBERS: Final = "|".join(_WORDS).encode()
_L: Final = rb"[A-Z\xff]"
_W: Final = rb"[A-Za-z\xff][A-Za-z\xff'.\-]*"
_NAME: Final = (
    rb"(?:(?:[A-Z\xff][A-Za-z\xff'.\-]*|\d{1,3}(?:st|nd|rd|th)|of|the|de|la|du|van|von)[ ]){1,4}"
)
_SUFFIX: Final = (
    rb"(?:[Ss]treets?|[Ss]t|[Aa]ve(?:nue)?|AVE|ST|RD|[Rr]oad|[Rr]d|[Bb]oulevard|[Bb]lvd|[Ll]ane|[Ll]n|[Dd]rive|Dr|DR|[Cc]ourt|Ct|CT|[Ww]ay|"
    rb"[Pp]lace|Pl|[Tt]errace|Ter|[Cc]ircle|Cir|[Pp]arkway|Pkwy|[Hh]ighway|Hwy|[Ss]quare|Sq|[Cc]rescent|Cres|[Cc]lose|[Aa]lley|[Tt]rail|Trl|[Tt]urnpike|"
    rb"Pike|Plaza|Row|Walk|Mews|Grove|Gardens|Gdns|Hill|Rise|View|Loop|Run|Path|Point|Pass|Crossing|Ridge|Bend|Cove|Creek|Estates?|Extension|Expressway|"
    rb"Freeway|Heights|Islands?|Junction|Knolls?|Lakes?|Manors?|Meadows?|Mills?|Orchard|Oval|Park|Parks|Pines?|Plains?|Port|Ports|Prairie|Ranch|Rapids?|Rest|"
    rb"River|Route|Rue|Shoals?|Shores?|Skyway|Springs?|Spurs?|Station|Stravenue|Stream|Summit|Trace|Track|Trafficway|Tunnel|Union|Unions|Valley|Valleys|Via|"
    rb"Viaduct|Village|Ville|Vista|Vistas|Wall|Walks|Ways|Well|Wells|Fields?|Ferry|Flats?|Fords?|Forest|Forge|Fork|Forks|Glens?|Greens?|Harbors?|Haven|Hills|Hollow|Inlet|Key|Keys|Mall|Mission|Motorway|Mount|Mountain|Neck|Overpass|Parkways|Passage)"
)
_STATE: Final = rb"(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TAI]|W[AVIY]|NSW|VIC|QLD|ACT|TAS)"
_UNIT: Final = rb"(?:(?:,? |,?\r?\n)(?:[Aa]pt|[Aa]partment|[Ss]uite|[Ss]te|[Uu]nit|[Ff]loor|[Ff]l|[Rr]oom|[Ff]lat|#)\.? ?#?[A-Za-z0-9-]{1,6})?"
_CITY: Final = (
    rb"(?:,?\s{1,2}(?:"
    + _L
    + rb"[A-Za-z\xff.'\-]+ ?){1,3},?\s{1,2}(?:"
    + _STATE
    + rb"|[A-Z][a-z]+)\.?\s{1,2}\d{5}(?:-\d{4})?|,? \d{4,5} (?:"
    + _L
    + _W
    + rb"[ ]?){1,2})?"
)
_ENGLISH: Final = Pattern(
    rb"\b\d{1,6}[A-Za-z]?(?:[-/]\d{1,4})?,? (?:[NSEW]\.? |[NS][EW] |North |South |East |West )?"
    + _NAME
    + _SUFFIX
    + rb"\b\.?(?: [NSEW]{1,2}\b)?"
    + _UNIT
    + _CITY,
    any_case=False,
)
_LOWER: Final = Pattern(
    rb"\b\d{1,6} (?:[a-z\xff'.]+ ){1,3}(?:street|avenue|ave|road|boulevard|blvd|lane|terrace|parkway|highway)\b(?:,? (?:apt|apartment|suite|unit|flat|floor) ?#?[a-z0-9-]{1,6})?"
)
_SAID: Final = Pattern(
    rb"(?:\b(?:live[sd]?|living|address is|located|reside[sd]?|i'm|we're|i am|we are|house is|staying|deliver(?:ed)?|ship(?:ped)?) (?:at |on |is |it to |to )?)?"
    rb"((?:(?:"
    + NUMBERS
    + rb"|hundred|and)[ -]){1,6}(?:(?:north|south|east|west) )?(?:[a-z]+ ){1,2}(?:street|avenue|road|lane|drive|boulevard|court|place|terrace|way|circle|parkway)"
    rb"(?:,? (?:apartment|apt|suite|unit|floor) (?:[a-z0-9]+)(?: [a-z]\b)?)?)\b"
)
_SAID_AFTER: Final = Pattern(
    rb"\b(?:live[sd]?|living|address is|house is|staying|deliver(?:ed)?|ship(?:ped)?) (?:it )?(?:at |on |to )?((?:[a-z]+ ){1,2}"
    rb"(?:street|avenue|road|lane|drive|boulevard|court|place|terrace|way)(?: number| no)? (?:"
    + NUMBERS
    + rb")(?:[ -](?:"
    + NUMBERS
    + rb")){0,4})\b"
)
_GERMAN: Final = Pattern(
    rb"(?:"
    + _L
    + rb"[A-Za-z\xff.\-]*(?:stra(?:ss|\xff)e|strasse|str\.|str|weg|platz|allee|gasse|ring|damm|ufer|chaussee|promenade|steig|graben|markt|hof|berg|straat|laan|plein|gracht|kade|dijk|singel|"
    rb"gatan|v(?:a|\xff)gen|gade|vej|gata|veien|vegen|katu|tie|utca|stien|plass|plassen|torget|pladsen|plads|torvet|gaden|vejen|backen|kuja|polku)|(?:"
    + _L
    + rb"[A-Za-z\xff.\-]+[ -]){1,3}(?:Stra(?:ss|\xff)e|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ring|Damm|Ufer|Straat|Laan|Plein|Utca|V(?:a|\xff)gen|Gatan|Gata|Vej|Gade|Vei|Plads|Torg|ut|utca|korut|fasor|setany)|(?:"
    + _L
    + rb"[a-z\xff.\-]+ ){0,2}"
    + _L
    + rb"[a-z\xff]+s (?:gate?|vei|veg|vej|gade|plass?|plads|torg|katu|tie))"
    rb"[ ]\d{1,4} ?[a-zA-Z]?(?: \d{1,3}\b)?(?:[-/]\d{1,4}[a-z]?|-[IVX]{1,4})?\b(?:(?:,? |,?\r?\n)(?:[A-Z]{1,2}-)?\d{4,5}(?: [A-Z]{2})? (?:"
    + _L
    + rb"[A-Za-z\xff\-]+ ?){1,2})?",
    any_case=False,
)
_NO_STREET: Final = re.compile(
    rb"(?:auf|um|von|zu) platz |(?:b|sp|st|w|[a-z]*(?:[eiou]|[bcdefghlptw]a))ring |[a-z]+ (?:19|20)\d\d\s?\Z",
    re.IGNORECASE,
)
"""Words that only end like a street ("during 3 days"), and a town in a year."""
_ROMANCE: Final = Pattern(
    rb"(?:\b\d{1,4}(?: ?(?:bis|ter|quater|[a-d]))?,? ?(?:rue|avenue|av\.|bd|boulevard|place|chemin|all\Sees?|allee|quai|impasse|route|cours|passage|square|faubourg|"
    rb"lotissement|residence|clos|hameau|lieu-dit|sentier|esplanade|promenade|montee|rond-point|traverse|venelle|chaussee)"
    rb" (?:(?:de |du |des |la |le |les |d'|l'|de la |saint |sainte ){0,3}[a-z\xff][a-z\xff'\-]+ ?){1,4}(?:,? \d{5} [a-z\xff\-]+)?"
    rb"|\b(?:rue|chaussee|quai|chemin|impasse|gran via|rambla|passeig|carrer|travesia|glorieta|urbanizacion|borgo|lungomare|contrada|salita|calle|c/|avenida|avda\.?|av\.|plaza|paseo|carrera|camino|ronda|via|viale|corso|piazza|piazzale|largo|vicolo|strada|rua|travessa|alameda|praca|estrada|ul\.|ulica|al\.|os\.|ulitsa)"
    rb" (?:[a-z\xff][a-z\xff'.\-]* ){0,5}[a-z\xff][a-z\xff'.\-]*,? ?(?:n[o.]?\.? ?|num\.? ?|no\.? )?\d{1,5}[a-z]?(?:[/-]\d{1,4}[a-z]?)?\b(?:,? \d{1,2} ?[\xff\xa4oa](?: ?(?:[a-z]|izq\w*|der\w*|dcha\w*|izda\w*|centro)\b)?(?: \d{1,2} ?[\xff\xa4oa])?)?(?:,? (?:\d{2}-\d{3}|\d{4,5}(?:-\d{3})?) [a-z\xff\-]+)?)"
)
_BOX: Final = Pattern(
    rb"\b(?:p\.? ?o\.? ?box|post office box|postfach|boite postale|b\.?p\.|apartado(?: de correos)?|casella postale|postbus|postboks|locked bag|gpo box|psc \d+,? box|unit \d+ box|(?:fpo|dpo|apo) a[aep]|caixa postal)[ #:]{0,3}(?:no\.? ?)?\d[\d ]{0,7}\d?\b"
    rb"|\b(?:psc|cmr|usns|uss|usnv) [\w. ]{1,20},? (?:box \d+)?,?\s?(?:apo|fpo|dpo) a[aep] \d{5}(?:-\d{4})?"
)
_RURAL: Final = Pattern(
    rb"\b(?:rural route|rr|hc|star route) ?#?\d{1,4},? box \d{1,5}\b|\b(?:flat|apartment|apt|suite|unit) ?\.? ?#?\d{1,5}[a-z]?,? \d{1,5} [a-z\xff]+ [a-z\xff]+\b"
)


_SMALL: Final = frozenset(
    b"and or on in at to an per for down off by from with is are was were had has via usb email people cars times day phrases".split()
)
"""Words of a sentence that no English street is called by."""
_ALSO_WORDS: Final = frozenset(
    b"via largo plaza strada camino corso ronda place promenade residence rambla clos salita quai cours passage route square traverse montee".split()
)
_SAYS_SO: Final = re.compile(
    r"(?:h?abit\w{1,4}|demeur\w{1,4}|vit|resid\w{2,4}|indirizzo|presso|sede|vivo|vive|direccion|morada|adres\w{1,3}|casa|\W(?:in|au))(?: \w{1,4})?[: ,]*\Z"
)
_LEADING: Final = re.compile(
    rb"(?:\d{1,4}(?: ?(?:bis|ter|quater|[a-d]))?,? ?)?([a-z\xff./]+) (?:(?:d[aeiou]|des?|du|dei|del|della|dell[eo]|degli|las?|les?|los) ){0,3}([a-z\xff'.\-]+)",
    re.IGNORECASE,
)


def _is_romance(view: View, match: Found) -> bool:
    """Whether it is a street, and not "via email to 3", where the word is one of a sentence."""
    words = match[0].lower().split()
    if counts(view, match.end()) or (_SMALL & set(words[1:])):
        return False
    leading = _LEADING.match(match[0])
    if leading is None or leading[1].lower() not in _ALSO_WORDS:
        return True
    name = leading[2]
    capital = not name[:1].islower() and not (len(name) < 5 and name.isupper())
    if capital and (not leading[1].islower() or match[0][:1].isdigit()):
        return True
    return _SAYS_SO.search(view.lower, max(0, match.start() - 24), match.start()) is not None


def _is_street(view: View, pattern: Pattern, match: Found) -> bool:
    if pattern is _ROMANCE:
        return _is_romance(view, match)
    if pattern is _LOWER:
        middle = match[0].lower().split()[1:-1]
        return not (_SMALL & set(middle)) and (b"the" not in middle or middle == [b"the"])
    if pattern is _GERMAN:
        return not _NO_STREET.match(match[0]) and not counts(view, match.end())
    return True


def _find(view: View) -> Iterator[Finding]:
    for match in _SAID.matches(view):
        start, end = match.span(1)
        words = match[1].lower().split()
        counted = sum(word in _NUMBER_WORDS for word in words)
        if counted >= 2 or match.start() < start:
            yield start, end, Kind.ADDRESS, place_key(view.lower[start:end])
    for match in _SAID_AFTER.matches(view):
        yield *match.span(1), Kind.ADDRESS, place_key(view.lower[slice(*match.span(1))])
    for pattern in (_ENGLISH, _LOWER, _GERMAN, _ROMANCE, _BOX, _RURAL):
        for match in pattern.matches(view):
            start, end = match.span()
            end = start + len(match[0].rstrip(b" ,.\n"))
            if _is_street(view, pattern, match):
                yield start, end, Kind.ADDRESS, place_key(view.lower[start:end])


ADDRESS = Recogniser(
    "address",
    _find,
    rank=54,
    gate=any_of(_SAID, _SAID_AFTER, _ENGLISH, _LOWER, _GERMAN, _ROMANCE, _BOX, _RURAL),
)
