"""Streets whose names do not say street ("Am Anger 5"): known by who lives there, or by the town behind."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Found, Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.recognisers.counts import counts
from spark_redaction.scrub.recognisers.place_key import place_key
from spark_redaction.scrub.view import View

_CAPITAL: Final = rb"[A-Z\xff][A-Za-z\xff'.\-]*"
_PLACE: Final = rb"[A-Z\xff][A-Za-z\xff'\-]*"
_LINKS: Final = (
    rb"(?:de|du|des|del|della|delle|dei|di|da|do|das|dos|la|le|les|las|los|der|den|dem|die|het|van|von|op|aan|of|the|"
    rb"am|an|auf|im|in|zum|zur|bei|beim|unter|hinter|vor|na|pod|u|nad|w|od|ved|til|av|af)"
)
_NAME: Final = rb"(?:(?:" + _LINKS + rb"|" + _CAPITAL + rb") ){0,5}" + _CAPITAL
_HOUSE: Final = rb"\d{1,4}(?:[ ]?[a-zA-Z]\b)?(?:[/\-]\d{1,4}[a-zA-Z]?)?"
_DOOR: Final = rb"(?:,? \d{1,2} ?[\xff\xa4o]{1,2}(?: ?(?:[a-zA-Z]|izq\w*|der\w*|dcha\w*|izda\w*|centro)\b)?(?: \d{1,2} ?[\xff\xa4oa]{1,2}\b)?| [A-K] \d{1,3}\b)?"
_TOWN: Final = (
    rb"(?:,? (?:[A-Z]{1,2}-)?\d{3} ?\d{2} "
    + _PLACE
    + rb"(?:[ \-]"
    + _PLACE
    + rb"){0,2}|, "
    + _PLACE
    + rb"\b)?"
)
_LIVES: Final = (
    rb"(?:(?:wohn(?:t|e|en|st|haft|ung|ort)|leb(?:t|e|en)|ziehen?|zieht|umgezogen|zog|haus(?:en|t))"
    rb"|(?:live[sd]?|living|resid(?:e|es|ing)|staying|moved?|moving|relocated|house is|home is|flat is|office is|address is|ship(?:ped|ping)?|"
    rb"deliver(?:y|ed)?|send (?:it|this|them)|my street is)"
    rb"|(?:habit(?:e|es|ent|ons|ant)|vit|vivons|demeurant|domicili\wes?|loge)"
    rb"|(?:viv(?:o|e|en|imos)|resid[eo]|domiciliad[oa])|(?:abit(?:o|a|ano|iamo)|residente|vivo)|(?:mor(?:o|a|am|amos)|resid[oe])"
    rb"|(?:woon(?:t|de|achtig)?|wonen)|(?:mieszk(?:am|a|amy|aja)|zamieszk\w{2,4})|(?:bor|bodde)|(?:bydli\w{1,2}|bydlim|byva\w?)"
    rb"|(?:asu[nu]|asuu|asumme)|(?:lakik|lakom|lakunk)|(?:locuiesc|locuieste)"
    rb"|(?:anschrift|adressen?|address|adresse|adres|adresa|direccion|indirizzo|endereco|morada|osoite\w*|domicilio|lieferung|rechnung|paket|brief|treffpunkt|sitz(?: der firma)?|filiale|praxis|niederlassung))"
)
_TO: Final = (
    rb"(?: ?(?:[:,]|(?:seit (?:\d{4}|[a-z]+)|since \d{4}|depuis \d{4}|desde \d{4}|lautet|war|ist|is|est|es|e|now|jetzt|nun|aktuell|currently|at|on|to|in|an|nach|bei|im|bitte|au|aux|a|en|la|el|na|no|op|aan|przy|"
    rb"w|v|i|pa|nella|der|den|die|dem|chez|s|f\wr|for|das|ein|eine|einen)\b)){0,4}"
)
_LIVED: Final = Pattern(
    rb"\b(?i:" + _LIVES + rb")" + _TO + rb"[:,]? ((?:" + _NAME + rb",? " + _HOUSE + _DOOR + _TOWN
    + rb"|\d{1,4}[a-zA-Z]?,? (?:(?:[Tt]he|[Ll]e|[Ll]a|[Ll]es|[Ll]') ?)?" + _CAPITAL + rb"(?:[ \-](?:of |the |de |des )?" + _CAPITAL + rb"){0,3}" + _TOWN + rb"))",
    any_case=False,
)  # fmt: skip
_LOWER: Final = Pattern(
    rb"\b(?:ich wohne|wir wohnen|wohnhaft|(?:meine |die |unsere )?(?:adresse|anschrift)(?: ist| lautet|:)|i live (?:at|on)|my address is)(?: jetzt)?(?: in)?(?: der| dem)? "
    rb"((?:am|an der|auf der|auf dem|im|in der|in den|zum|zur|unter den|hinter der|vor dem|beim|lange|kurze|alte|neue|grosse|kleine|obere|untere|hohe) (?:[a-z\xff]+ ){1,3}\d{1,3}[a-z]?)\b"
    rb"|\b(?:ich wohne|wir wohnen|sie wohnt|er wohnt|adresse ist|adresse lautet|anschrift ist) (?:jetzt )?(?:in der |am |im |auf der )?([a-z\xff]+(?: ?strasse| ?stra(?:ss|\xff)e|weg|gasse| ?allee|platz|ring) (?:\d{1,3}[a-z]?|[a-z]*(?:eins|zwei|drei|vier|funf|sechs|sieben|acht|neun|zehn|elf|zwolf|zig|undert)))\b"
)
"""As a transcript without capitals has it."""
_FIXED: Final = (
    rb"(?:Am|An (?:der|den|dem)|Auf (?:der|dem|den)|Im|In (?:der|den|dem)|Zum|Zur|Unter (?:der|den|dem)|Hinter (?:der|den|dem)|Vor (?:der|den|dem)|Bei (?:der|den|dem)|"
    rb"Beim|Neben der|Alte[rnsm]?|Neue[rnsm]?|Gro(?:ss|\xff)e[rnsm]?|Kleine[rnsm]?|Obere[rnsm]?|Untere[rnsm]?|Lange[rnsm]?|Kurze[rnsm]?|Hohe[rnsm]?|Breite[rnsm]?|Hintere[rnsm]?|Vordere[rnsm]?)"
)
_CALLED: Final = Pattern(
    rb"(?:^|[\n,;:(] ?|\b(?:an|in|nach|bei) )(" + _FIXED + rb" (?:" + _CAPITAL + rb"[ \-]){0,2}" + _CAPITAL + rb" \d{1,3}(?: ?[a-z]\b)?(?:[\-/]\d{1,3})?)(?:[,;)\n]|\. |\.?$)"
    rb"|[a-z\xff] ((?:Am|An (?:der|den|dem)|Auf (?:der|dem|den)|Im|In (?:der|den|dem)|Zum|Zur|Unter (?:der|den|dem)|Hinter (?:der|den|dem)|Vor (?:der|den|dem)|Beim) (?:"
    + _CAPITAL + rb"[ \-]){0,2}" + _CAPITAL + rb" \d{1,3}(?: ?[a-z]\b)?(?:[\-/]\d{1,3})?)\b",
    any_case=False,
)  # fmt: skip
"""Behind a stop, or with a capital in the middle of a sentence, as only a name has it."""
_LINES: Final = Pattern(
    rb"(?:^|[\n,] ?)((?:" + _CAPITAL + rb"[ \-]){0,3}" + _CAPITAL + rb" \d{1,4} ?[a-zA-Z]?(?:[/\-]\d{1,4})?,?\r?\n {0,8}(?:[A-Z]{1,2}-)?(?:\d{3} \d{2}|\d{4,5}) "
    + _CAPITAL + rb"(?:[ \-]" + _CAPITAL + rb"){0,2})(?:[\r\n,.;]|$)",
    any_case=False,
)  # fmt: skip
"""Street and town, one under the other."""
_AFTERWARDS: Final = Pattern(
    rb"(\d{1,4}[a-zA-Z]?,? (?:" + _CAPITAL + rb" ){1,4})(?i:is|est|ist) (?i:my|his|her|their|our|son|mon|notre|leur|meine|seine|ihre) (?i:addresse?|adresse)\b",
    any_case=False,
)  # fmt: skip
_COUNTED: Final = re.compile(
    r"\b(?:[a-z]*(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|spieltag|feiertag)|januar|februar|marz|april|mai|juni|juli|august|september|oktober|"
    r"november|dezember|january|february|march|may|june|july|october|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|ende|anfang|schnitt|durchschnitt|"
    r"kapitel|abschnitt|absatz|artikel|paragra(?:f|ph)|raum|zimmer|saal|buro|haus|gebaude|block|stock|etage|level|test|fall|schritt|teil|band|akt|bild|zeile|spalte|"
    r"tabelle|abbildung|anhang|anlage|modul|team|gruppe|klasse|semester|quartal|monat|jahr|woche|tag|minute|stunde|sekunde|runde|spiel|satz|lauf|rennen|wagen|gleis|"
    r"bahnsteig|ausgang|eingang|halle|stand|tisch|sitz|feld|position|stelle|rang|nummer|nr|kanal|port|slot|server|knoten|cluster|modell?|version|release|build|sprint|"
    r"ticket|issue|bug|frage|aufgabe|beispiel|fussnote|seite|blatt|folie|punkt|ziffer|sektor|zone|bezirk|stufe|phase|etappe|schicht|linie|bus|zug|abfahrt|ausfahrt|"
    r"kilometer|preis|portion|termin|auftrag|menge|anzahl|total|summe|status|fehler|code|wert|index|option|variante|szenario|plan|projekt|room|chapter|page|table|figure|"
    r"section|step|day|week|year|order|item|line|gate|terminal|windows|python|java|rtx|gpu|uhr|option|rule|task|group|class|grade|size|type|spark|host|node|gerat|device|rechner|router|serie|series|episode|hotel)"
    r"(?:s|en|n)?,? \d"
)
_OF: Final = ("of ", "von ", "du ", "del ", "des ", "de ", "van ", "di ")
"""Whose address it is, and not where: "address of Spark 1"."""
_YEAR: Final = re.compile(r"(?:19|20)\d\d\Z")


def _find(view: View) -> Iterator[Finding]:
    for pattern in (_LIVED, _CALLED, _LINES, _AFTERWARDS, _LOWER):
        match = pattern.first(view, 0)
        while match is not None:
            group = 1 if match.start(1) >= 0 else 2
            if pattern is not _LOWER or match[group].islower():
                yield from _place(view, match, group)
            # The comma behind one stands before the next one.
            match = pattern.first(view, match.end(group))


def _place(view: View, match: Found, group: int) -> Iterator[Finding]:
    start, end = match.span(group)
    end = start + len(match[group].rstrip(b" ,."))
    text = view.lower[start:end]
    if text.startswith(_OF):
        return
    if _COUNTED.search(text) or _YEAR.search(text) or counts(view, end):
        return
    if view.text[end : end + 2].strip()[:1] == "." and view.text[end + 1 : end + 2].isdigit():
        return
    yield start, end, Kind.ADDRESS, place_key(text)


DWELLINGS = Recogniser(
    "dwellings",
    _find,
    rank=53,
    gate=any_of(_LIVED, _CALLED, _LINES, _AFTERWARDS, _LOWER),
)
