"""Reasoning where no narrower rule holds."""

# ruff: noqa: E501 - a row of the table is a line

from instructgen.teachers.scene_program.rules.rule import Rule, words_of

GENERAL_RULES = (
    Rule(
        name="people",
        groups=words_of("person"),
        questions=(
            "What might have brought people to this place?",
            "What could be the mood of this moment, and why?",
            "What would probably be worth knowing before joining in here?",
        ),
        parts=(
            (
                "People usually come together for a purpose, be it work, leisure or a celebration.",
                "What people do at a given moment often depends on the place, the hour and the company.",
            ),
            (
                "Friendly words and a little patience can generally make it easy to join a group.",
                "Posture and distance may tell a careful observer a lot about how people feel.",
            ),
            (
                "It would commonly be polite to ask before taking part, since some people may prefer to be left alone.",
                "Shared moments of this kind can often become lasting memories, even when they seem ordinary.",
            ),
        ),
    ),
    Rule(
        name="animals",
        groups=words_of("animal"),
        questions=(
            "What would such an animal usually need to feel well?",
            "How should a visitor behave in a situation like this?",
        ),
        parts=(
            (
                "Animals usually need food, water, rest and a place where they can feel safe.",
                "Most animals tend to be calm as long as nothing around them seems dangerous.",
            ),
            (
                "Visitors should generally keep their distance, move slowly and avoid loud noise.",
                "Feeding without permission may do harm, because human food can upset the stomach of an animal.",
            ),
            (
                "Watching patiently can often teach people more than any attempt to come close.",
                "Respect of this kind would typically protect both the animal and the people.",
            ),
        ),
    ),
    Rule(
        name="food",
        groups=words_of("food, kitchen"),
        questions=(
            "What might be the next step with what is prepared here?",
            "What could somebody consider before eating this?",
        ),
        parts=(
            (
                "Food is usually prepared to be shared or to be eaten soon, while it is fresh.",
                "A meal can often say something about the habits and tastes of those who made it.",
            ),
            (
                "Clean hands and clean tools would generally come first, because germs can spread quickly.",
                "People with allergies may need to ask what a dish contains, as small amounts can matter.",
            ),
            (
                "A varied diet tends to keep people healthy, so different colors on a plate can be a good sign.",
                "Taking time for a meal can often make it more enjoyable and may also help digestion.",
            ),
        ),
    ),
    Rule(
        name="machines",
        groups=words_of("vehicle"),
        questions=(
            "What would have to be considered before using such a vehicle?",
            "How might this vehicle make life easier for people?",
        ),
        parts=(
            (
                "Vehicles usually save time and effort, but they tend to need regular care.",
                "A vehicle can carry people or goods much further than they could go on foot.",
            ),
            (
                "Brakes, lights and tires should generally be checked, since small faults can cause accidents.",
                "Fuel, weather and the state of the road may all influence how well a trip goes.",
            ),
            (
                "Careful planning would often lower the cost as well as the risk.",
                "Sharing a ride can often save money and may be kinder to the environment.",
            ),
        ),
    ),
    Rule(
        name="things",
        groups=words_of("furniture, electronic, appliance, indoor, accessory, outdoor, sports"),
        questions=(
            "What might somebody use these things for in daily life?",
            "How could a person make good use of what is at hand here?",
        ),
        parts=(
            (
                "Everyday objects usually have a clear purpose, but people can often find other uses for them.",
                "The things people keep around them can often say something about their habits.",
            ),
            (
                "Good care tends to make objects last longer, which may save money and materials.",
                "Order can make daily life easier, because what is put away well is generally found quickly.",
            ),
            (
                "Before buying something new, it would commonly be wise to think about what is already there.",
                "What is no longer needed could often be repaired, shared or given away.",
            ),
        ),
    ),
    Rule(
        name="place",
        settings=words_of("any"),
        questions=(
            "What should a visitor to this place bear in mind?",
            "What might make this place important to people?",
        ),
        parts=(
            (
                "Places usually shape what people do there, and small details can often reveal their purpose.",
                "A place can mean different things to those who live there and to those who only pass by.",
            ),
            (
                "Visitors should generally look around first, since customs may differ from one place to another.",
                "Care for a shared place tends to pay off, because many people may enjoy it later.",
            ),
            (
                "Coming back at another hour or season would often give quite a different impression.",
                "A slow walk with open eyes can often show more than a quick visit.",
            ),
        ),
    ),
)
