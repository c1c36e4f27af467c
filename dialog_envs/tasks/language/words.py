"""Words of English that say what kind of sentence stands there, whatever it is about; and words of other languages."""

from __future__ import annotations

AUXILIARIES = frozenset(
    "do does did would will are is was were am can could should shall may have has dont arent isnt wouldnt might must".split()
)
WH = frozenset("what whats which how hows who whos when where why".split())
ASKING = frozenset("what whats which how hows who why".split())
"""Words of questions that are not answered by yes or no."""

OPENERS = AUXILIARIES | WH | frozenset(("any", "anything", "fancy"))
"""A clause that begins with one of these is a question, with or without its mark."""

SUBJECTS = frozenset(
    "you your i we it that this there these those they he she the a an any anything something somewhere everything anyone one".split()
)
"""What follows an auxiliary in a question."""

RELATIVE = frozenset(
    "is are was were can will would could might should may has have you it i we they also means makes".split()
)
"""After "which": a relative clause, no question."""

FILLERS = frozenset(
    "and so but or also well now then first firstly finally lastly just please oh ah hmm um er hi hello okay alright great "
    "perfect thanks sure right anyway next secondly second yes actually honestly plus ok cool nice hey lol bro mate dear tell good no".split()
)
"""Words that may stand before the opener of a question."""

SMALL = frozenset(
    "a an the of for to in on at with your you i we me my and any please so is be it that this do are some as by from us our kind then also too still just".split()
)
"""Words that say nothing about what a short clause means."""

CONJUNCTIONS = frozenset(
    (",", "and", "but", "or", "so", "—", "–", "-", "--", ":", "then", "because", "(", ")")
)

COMMON_WORDS = frozenset(
    """
i you he she it we they me him her us them my your his its our their mine yours this that these those the a an and or
but if because since as of at by for with about against between into through during before after above below to from up
down in out on off over under again further then once here there when where why how all any both each few more most
other some such no nor not only own same so than too very can will just should would could may might must shall do does
did done doing be am is are was were been being have has had having get gets got go goes going gone went make makes made
take takes took taken come comes came see saw seen know knew known think thought say says said tell told ask asked want
wants wanted like likes liked need needs needed let lets try use used find found give gave work works worked call called
seem feel leave left put mean keep begin help show hear play run move live believe bring happen write sit stand lose pay
meet include continue set learn change lead understand watch follow stop create speak read spend grow open walk win offer
remember love consider appear buy wait serve die send expect build stay fall cut reach kill remain suggest raise pass
sell require report decide pull great good new first last long little own old right big high different small large next
early young important public bad able best better sure free real full special easy clear recent certain personal nice
time year people way day man thing woman life child world school state family student group country problem hand part
place case week company system program question government number night point home water room mother area money story
fact month lot study book eye job word business issue side kind head house service friend father power hour game line end
member law car city community name president team minute idea body information back parent face others level office door
health person art war history party result morning reason research girl guy moment air teacher force education today
tomorrow tonight yesterday always never often sometimes usually maybe perhaps really quite rather already still yet even
also well please thanks thank hello hi yes okay something anything nothing everything someone anyone everyone somewhere
anywhere what which who whom whose whats thats im youre ive id ill youd youll dont doesnt isnt arent cant wont lets theres
around away together without within though although while until unless whether either neither instead else ever much many
activity activities option options place places trip visit tour tours experience plan plans weather sun rain choice trying
looking thinking asking having making taking coming talking saying telling hoping planning wondering visiting enjoying
walking starting ready glad happy sorry welcome enjoy wonderful perfect lovely fun interesting exciting amazing beautiful
favourite favorite price prices ticket tickets euro euros minutes hours days weekend afternoon evening night couple solo
friends kids children partner travel traveller holiday vacation holidays budget prefer mind matter sound sounds fit suit
might mention mentioned list pick choose decision thoughts opinion details detail per each about guide guided local locals
""".split()
)
"""The commonest words of English, and of talk about plans: a text that holds few of them is no English."""

FOREIGN = frozenset(
    """hola que como esta usted gusta gustaria quiero quiere prefiere presupuesto cual para con por los las una unos del muy buenos dias gracias
    bonjour vous votre est quel quelle voulez je suis nous les des une avec pour dans sur aimez merci preferez etes combien salut
    hallo guten tag ich sie ist das und mochten wie viel nicht haben konnen fur ein eine wir lieber gerne danke was magst willst du
    ciao buongiorno che cosa preferisci vuoi sei il di per una gli grazie quanto ti piace vorrei
    ola voce gosta qual seu orcamento bom dia obrigado prefere quer sao nao uma voces tem
    het een niet wat jij wil graag hoeveel bent u van dank god dag hej vad vill tycker om ar och jag det
    czy pan pani jest jaki lubisz dzien dobry merhaba nasil ne kadar privet hva liker kuinka paljon mitae
    salve quid est vis dolor ipsum lorem sit amet konnichiwa arigato ni hao""".split()
) - frozenset("das was sie die van om per il ne ti pan god con sit u de in is".split())
