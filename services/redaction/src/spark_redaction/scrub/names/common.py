"""Words that are names and ordinary words, and words that are never a name by themselves."""

from typing import Final

COMMON: Final = frozenset(
    """
    ace admin air amazon amber american an angel apple april archer art as ash at atlantic
    august autumn baker ball bank banks barn basil bass bay be bean bear bell berry best bill
    bird bishop black blue bob bond booth brand bridge bright brook brooks brown bull bunny
    burns bush butcher butler by candy cannon capital care carpenter carry carter case cash
    central chance chapel charity chase cherry chip christmas chuck church city clay cliff close
    cloud clouds coffee consulting cook cooper copper cotton counts crane crisp cross crow
    crystal cutter daisy dale dash data dawn day dean dear delta design devil diamond dice
    digital discover do dollar drake drew driver duke dusty eager earl early earnest earth east
    easter else ember energy english european eve ever express fair faith farm farmer fast field
    fields finance financial finch fine finest fire first fish fisher fleet flood flower flowers
    foods foot ford forest forward fox frank free french friday friend frost gap gardener gates
    gay gene general genesis gentle german gift ginger given glad glass glen global go gold
    golden good goods grace grand grant grass grave gray green grey gross group gun gunner guy
    hall handy happy harmony harrow haven hawk hay he head health heart heather heaven her high
    hill hills ho holdings holly home honey honor hood hook hooks hope horn house hunter hurt
    husband ice if ill in info insurance international iris irish iron is it ivy jack jay jean jeans jewel
    job jolly joy july june justice keen key keys kind king knight labs lake lakes lamb land
    lane lark last law lawless laws leaf lent liberty life light lily little lock long lord love
    low luck lucky mace made major man manly march marine mark market marks marrow marsh marvel
    mason max may me media medical mercy merry mile miles miller min mist modern monday money
    moody moon more mores morrow moss motors mouse mustard my nail national neat need network
    networks new next nice nick nickel night no noble north nurse oak oaks of office old olive
    on or oracle orange orchard outlaw own owner pace pacific pack page pages paint park parks
    partners pat patience peace peak pearl penny pepper person pike pin plant player plum poem
    pointer pole pond pool poor pope porter post potter pound power powers pray preacher press
    price pride prime prince print proud prudence pure queen quick rabbit racer rage rails rain
    ram ransom rays real record red reed rice rich rider ring river rivers road rob robe robin
    rock roman rose rosemary royal ruby rush rust rusty sage saint sales salmon sands saturday
    savage scales scholar sea seal security self seller sense serene service services shade
    sharp shell shepherd shine ship shop shore short show sick sierra sill silver sing singer
    skinner skip sky slaughter small smart snow so software solutions son song south space spade
    sparks speaker spear spring springs square squire staff standard star steed steel step
    sterling stern still stock stone store storm stout street stripe strong studio studios style
    sue sugar summer summit sun sunday sunny support swan sweet sweets swift system systems
    tailor tale tall tanner target teal team technologies technology temperance temple tender
    test thorn thursday tiger tile time times tip to tours tower towers town trace tree trees
    trip true trust twin union united up us user vale valentine valor van venture ventures verse
    vest view village vine violet visa vision wade wall walls ward warm wash water waters way we
    weaver weeks welcome well wells west whistler white wild will wind wing winner winter wise
    wish witness wolf wonder wood woods world worth wren yard year you young
    """.split()
)
"""Found alone, these need a reason to be a name: a capital at least."""

NEVER_ALONE: Final = frozenset(
    """
    ab abu af ag al and aps as av ben bin bint bsc bv co company corp corporation d da dame das
    de del della den der di dipl don dona dos dr du e eg el esq eurl ev for frau gmbh herr hon i
    ibn ii iii inc ing iv jr junior kg kk l la lady las le les limited llc llp lo lord los ltd
    mac madame mba mc md miss mlle mme monsieur mr mrs ms msc mx nv o of ohg oy oyj phd plc prof
    professor pte pty rev sa saint san santa sarl sas se senior sir spa sr sra srl srta st ten
    ter the ug und van von y zu zum zur
    """.split()
)
TITLES: Final = frozenset(
    """
    bsc dame dipl dr esq frau herr hon ii iii ing iv jr junior lady lord madame mba md miss mlle
    mme monsieur mr mrs ms msc mx phd prof professor rev senior sir sr sra srta
    """.split()
)
LEGAL: Final = frozenset(
    """
    ab ag aps as bv co company corp corporation eg eurl ev gmbh inc kg kk limited llc llp lp ltd
    mbh nv ohg oy oyj plc pte pty sa sarl sas se spa srl ug
    """.split()
)
DESCRIPTORS: Final = LEGAL | frozenset(
    """
    assicurazioni assurances bau beratung chemie conseil dienste elektronik energia energie groupe gruppe
    gruppo grupo handel immobilien logistik maschinenbau backerei brauerei druckerei kanzlei pharma praxis reederei spedition werft seguros stiftung systeme technik verlag
    versicherung versicherungen werke
    & airlines analytics and associates automation bank biotech capital construction consulting
    dynamics electronics energy engineering enterprises financial foods foundation group holding
    holdings industries instruments institute insurance international labs logistics machines
    media motors networks optics partners pharma pharmaceuticals plastics robotics services software solutions systems technologies technology the
    ventures
    """.split()
)
FOLLOWS_VERB: Final = frozenset(
    """
    a access all an any be do down each every have he her him his i it its me my need not our
    out permission she some that the their them there these they this those up us we words you
    your
    """.split()
)
BEFORE_MONTH: Final = frozenset(
    """
    after before by during early every from in last late mid next of on since this through till
    until
    """.split()
)
