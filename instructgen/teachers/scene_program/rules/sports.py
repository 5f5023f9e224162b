"""Reasoning about sports and play."""

# ruff: noqa: E501 - a row of the table is a line

from instructgen.teachers.scene_program.rules.rule import Rule, words_of

SPORT_RULES = (
    Rule(
        name="surfing",
        all_of=words_of("surfboard, person"),
        questions=(
            "What skills are likely to matter most for this activity?",
            "What should a beginner learn before trying this?",
            "Why might the conditions of the day matter so much for what is going on?",
        ),
        parts=(
            (
                "All of this points to surfing, which usually demands balance, timing and a good sense of how water moves.",
                "These details suggest surfing, a sport that typically rests on balance, strong swimming and patience.",
            ),
            (
                "Surfers often have to judge in a moment when to paddle, when to stand up and how to shift their weight.",
                "A surfer would normally need to read the water early, because a swell can change its shape within seconds.",
            ),
            (
                "Beginners are usually advised to practice in gentle surf, to learn about currents and to go out with company.",
                "Wind, tide and currents can turn an easy session into a risky one, so many surfers study the forecast first.",
            ),
        ),
    ),
    Rule(
        name="skiing",
        any_of=words_of("skis, snowboard"),
        all_of=words_of("person"),
        questions=(
            "How would one best prepare for an outing like this?",
            "What risks may come with this activity, and how can they be reduced?",
            "What makes this activity both demanding and rewarding?",
        ),
        parts=(
            (
                "This suggests a winter sport, for which people usually prepare with warm layers, gloves and well fitted boots.",
                "Such equipment typically belongs to winter sports, where good balance and strong legs can make a great difference.",
            ),
            (
                "Falls can happen at any level, so a helmet and slopes that match one's skill would generally be a wise choice.",
                "Cold, speed and changing snow may all become risks, which is why many people check the weather beforehand.",
            ),
            (
                "Regular breaks often help as well, since tired muscles tend to react more slowly.",
                "At the same time, fresh air and wide views can make the effort feel worthwhile for many people.",
            ),
        ),
    ),
    Rule(
        name="tennis",
        all_of=words_of("tennis racket, person"),
        questions=(
            "Which abilities does this game usually demand?",
            "What could a player do to get better at this game?",
            "Why is footwork likely to be important in this situation?",
        ),
        parts=(
            (
                "These details point to tennis, a game that typically calls for quick feet, sharp eyes and good timing.",
                "All of this suggests tennis, in which players usually have only a moment to judge the path of the ball.",
            ),
            (
                "A player who reaches the ball early can often choose where to place it, while a late player may only return it.",
                "Good footwork generally allows a full and controlled swing, whereas a poor stance can send the ball astray.",
            ),
            (
                "Regular practice of the serve and of short sprints would usually help, and so would patience during long rallies.",
                "Many players therefore tend to spend as much time on movement and stamina as on their strokes.",
            ),
        ),
    ),
    Rule(
        name="baseball",
        any_of=words_of("baseball bat, baseball glove"),
        all_of=words_of("person"),
        questions=(
            "What makes this moment of the game demanding for those who take part?",
            "Why is protective gear commonly used in this sport?",
            "How do teamwork and quick reactions probably matter here?",
        ),
        parts=(
            (
                "This equipment usually belongs to baseball, a game in which a hard ball may travel at a very high speed.",
                "These details suggest baseball, where long waits can be followed by moments that demand instant reactions.",
            ),
            (
                "A batter often has less than half a second to decide whether to swing, so focus and training tend to be vital.",
                "Players in the field generally have to guess where the ball may go, so they would watch each other closely.",
            ),
            (
                "Helmets, gloves and padding can lower the risk of injuries, which is why they are commonly part of the game.",
                "Clear signals between teammates can often decide whether a play succeeds or fails.",
            ),
        ),
    ),
    Rule(
        name="skateboarding",
        all_of=words_of("skateboard, person"),
        questions=(
            "What would help a person to stay safe during this activity?",
            "What does it usually take to become good at this?",
            "Why do people often spend so many hours on this kind of activity?",
        ),
        parts=(
            (
                "All of this suggests skateboarding, which usually takes balance, courage and a great deal of repetition.",
                "These details point to skateboarding, a sport in which even simple tricks can take weeks to learn.",
            ),
            (
                "Falls are generally part of the learning, so a helmet, pads and sturdy shoes would often prevent serious injuries.",
                "A smooth surface and enough free space can lower the risk, whereas cracks and gravel may stop a wheel at once.",
            ),
            (
                "Many skaters tend to enjoy exactly this challenge, because each small success can be felt right away.",
                "It is commonly wise to start with low speeds and to practice how to fall before trying anything difficult.",
            ),
        ),
    ),
    Rule(
        name="kites",
        all_of=words_of("kite"),
        questions=(
            "What kind of weather is probably needed for this?",
            "Why might people have chosen this place for what they do?",
            "What should one watch out for during such an activity?",
        ),
        parts=(
            (
                "Flying a kite usually needs a steady breeze, so it would probably be a day with some wind.",
                "A kite typically stays up only in a steady wind, which suggests that the air was probably moving.",
            ),
            (
                "Open ground tends to be the best choice, because trees and buildings can make the wind uneven and catch the string.",
                "People often look for wide and open places, since there the wind may blow freely and the line has room.",
            ),
            (
                "It is generally wise to keep away from power lines and to leave enough distance to other people.",
                "Strong gusts can pull hard on a line, so children would usually be helped by an adult.",
            ),
        ),
    ),
    Rule(
        name="frisbee",
        all_of=words_of("frisbee"),
        questions=(
            "What are the likely benefits of an activity like this?",
            "What is usually needed to enjoy this kind of play?",
            "Why is so much free space commonly useful for this?",
        ),
        parts=(
            (
                "A frisbee usually invites running, jumping and catching, so playing with it can be a good exercise.",
                "Playing with a frisbee typically needs little equipment, which may be one reason why it is so popular.",
            ),
            (
                "Free space can matter a lot, because wind and a careless throw may carry the disc far from its aim.",
                "It generally trains the eyes and the sense of timing, as a disc can float or drop quite suddenly.",
            ),
            (
                "Shared play of this kind often strengthens the bond between those who take part, be they friends or pets.",
                "Fresh air and laughter would often come with it, which can do as much good as the exercise.",
            ),
        ),
    ),
    Rule(
        name="soccer",
        all_of=words_of("sports ball, person"),
        words=words_of("soccer, football, kicking, kick"),
        questions=(
            "What can people learn from taking part in such a game?",
            "Which qualities are likely to help a player in this game?",
            "Why is this kind of game so popular in many places?",
        ),
        parts=(
            (
                "These details suggest a ball game on a field, which usually depends on running, passing and teamwork.",
                "This points to a game with a ball, where stamina and quick decisions can often matter more than strength.",
            ),
            (
                "Players generally have to keep an eye on the ball and on each other, so good communication tends to pay off.",
                "A team that passes well can often beat faster opponents, because the ball may move quicker than any runner.",
            ),
            (
                "Such games typically need little equipment, which may explain why they are loved by people of all ages.",
                "Many people also learn fairness and patience in this way, since both winning and losing would be part of it.",
            ),
        ),
    ),
)
