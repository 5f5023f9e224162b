"""Words that an answer may have without a claim: they frame the talk and say nothing of the image.

Anything else must be a word of one of the answer's claims. A wording with a new framing word is objected to until the
word is added here; colors, numbers, directions, sizes, materials, places and things never belong here.
"""

# ruff: noqa: E501 - a row of a table is a line

from tests.provers.words import words_of

FRAME_WORDS = words_of(
    """
a absolutely he she his hers pair about according across actually add adding addition afraid after again against agree ahead all along already also although am altogether
among an and another answer any anybody anyone anything anywhere apart appear appearance appears are area aren't around as ask asked asking at
attention away back be beat because become been before begin behind being belongs beside besides best between both box boxes but by call called came can
can't cannot capture captured captures care carefully catch catches caught centers certain certainly check checked choice choose clear clearly close closely closer
clue clues color colors come comes compare compared comparing comparison complete completing concerned consider contain contains contest could couldn't count
counted counting counts course cover covers cross decide decreasing depend depends describe describing detail details detective did didn't do does doesn't doing don't done down
draw drawn during each earlier easily easy edge edges effort either else enclosed end enough even every everything exact exactly expect extends extra eye eyes
fair far few first fill filled fills find finding finds focus follow for found frame fresh friend friends from fully further gap gave get gets
give given gives glad glance go goes going good got great guess guide had half happen happening happens happily happy hard has have haven't having heart height held help
her here here's him his hint hmm hold holds hope how however i i'd i'll i'm i've if image in include included includes indeed inside inspection instead interesting into is isn't it it's
its itself judging just keep keeps kept key kind knew know knowing lack lacks last least less let let's lets like likely list listed located long look looked looking looks lot
love luck made main mainly make makes making mark marked material matter matters may maybe me mean meanwhile meant meet meets mention might mind mine
miss missed missing mix moment more most move much must my name named namely near need neither next never nice no nobody none nor not note nothing
notice noticed now nowhere number observation observe of off offer offers often oh ok on only onto or order other others our out outlines outnumber outside over
overall overlap overlapping overlaps own part parts pass people's perhaps photo pick picked picture place placed plain play please plus point points position positioned possible presence
present presents pretty probably prominent promise pure put puzzle question following pointed shot falls fall lies lie lay rests quick quickly quite rank ranked rather reach reached reaches read ready real really reason region report
reporter rest reveals round safe said same save saw say saying says scene search searched searching second see seeing seem seems seen send sense set settle
settled settles several shape share shares short should show showed showing shown shows side sides sight sign simple simply since single situation size so solve some
somebody someone something soon sorry sort sorted space spans spot spotted spread stand stands start starting starts stay step still stop story straight stretches subject such
suggests sum summary sure surely surroundings take taken takes taking talk talking tell telling tells terms than thank thanks that that's the their theirs them then
there there's therefore these they they're thing things think this those though thought through tick time to together too took total touch touches
toward towards trace trouble true truly try turn turns twice unclear unsure up upon us use used vain version very view viewer viewer's viewers visible visually walk wander want
was watch way we we'll we've weather well went were what what's whatever when where where's whereas whether which while who whole whose why width will win wins wish with within
without won't wonder word words work worth would wouldn't yes yet you you'd you'll you're you've your yourself zero
"""
)
# Verbs that frame the talk unless they stand behind "is" or "are": then they are what somebody does.
FRAMING_VERBS = words_of("looking taking making moving watching reaching talking")
