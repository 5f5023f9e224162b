"""Surface forms of the conversation: how each family of questions is asked and answered.

Slots: {a} "a dog", {x} "dog", {xs} "dogs", {y} a second thing, {number} "three", {color}, {what} a clause,
{where} a place, {list} several things, {pic} "picture", "image" or "photo".
"""

PICTURE_WORDS = ("picture", "image", "photo")

ASK_ONE = (
    "Is there {a} in the {pic}?",
    "Can you see {a} anywhere in the {pic}?",
    "Does the {pic} show {a}?",
    "Is {a} visible in the {pic}?",
    "Do you see {a} in this scene?",
    "Does {a} appear anywhere in this {pic}?",
    "Would I find {a} in this {pic}?",
)
ASK_MANY = (
    "Are there any {xs} in the {pic}?",
    "Can you see any {xs} in the {pic}?",
    "Does the {pic} show any {xs}?",
    "Are any {xs} visible in this scene?",
    "Do you see any {xs} here?",
    "Do any {xs} appear in this {pic}?",
)
YES_ONE = (
    "Yes, there is {a} {where}.",
    "Yes, {a} is visible {where}.",
    "Yes, {a} can be seen {where}.",
    "Yes, you can find {a} {where}.",
    "Yes, {a} appears {where}.",
    "Yes, the {pic} includes {a}.",
)
YES_MANY = (
    "Yes, there are {xs} in the {pic}.",
    "Yes, there is more than one {x} in the {pic}.",
    "Yes, more than one {x} can be seen in this {pic}.",
    "Yes, the {pic} shows {xs}.",
    "Yes, {xs} are visible in the {pic}.",
    "Yes, you can see {xs} in this scene.",
)
NO_ONE = (
    "No, there is no {x} in the {pic}{but}.",
    "No, no {x} can be seen anywhere in the {pic}{but}.",
    "No, the {pic} does not show {a}{but}.",
    "No, I cannot see {a} in this {pic}{but}.",
    "No, {a} does not appear in the {pic}{but}.",
    "No, this scene does not include {a}{but}.",
)
NO_MANY = (
    "No, there are no {xs} in the {pic}{but}.",
    "No, no {xs} can be seen anywhere in the {pic}{but}.",
    "No, the {pic} does not show any {xs}{but}.",
    "No, I cannot see any {xs} in this {pic}{but}.",
    "No, {xs} do not appear in the {pic}{but}.",
    "No, this scene does not include any {xs}{but}.",
)
BUT = (", but there is {y}", ", although {y} can be seen", "; what it does show is {y}", ", though {y} is visible")
BUT_MANY = (
    ", but there are {y}",
    ", although {y} can be seen",
    "; what it does show are {y}",
    ", though {y} are visible",
)

ASK_MISSING = (
    "Which of these is missing from the {pic}: {a} or {b}?",
    "One of these two is not in the {pic}: {a} or {b}. Which one?",
    "Between {a} and {b}, which one does the {pic} not contain?",
    "If I look for {a} and {b} in this {pic}, which one will I not find?",
    "Which is absent from this scene, {a} or {b}?",
    "Only one of these is in the {pic}: {a} or {b}. Which one is missing?",
)
TELL_MISSING = (
    "The {pic} has no {x}, but it does contain {y}.",
    "There is no {x} in the {pic}, while {y} can be seen {where}.",
    "It is the {x} that is missing; {y} is visible {where}.",
    "You will not find {ax} here, but there is {y} {where}.",
    "The {x} is the one that is missing, since {y} appears {where}.",
    "What is missing is the {x}, while there is {y} {where}.",
)
TELL_MISSING_MANY = (
    "The {pic} has no {x}, but it does contain {y}.",
    "There is no {x} in the {pic}, while {y} can be seen.",
    "It is the {x} that is missing; {y} are visible in the {pic}.",
    "You will not find {ax} here, but there are {y}.",
)
ASK_NEITHER = (
    "Which of these does the {pic} show: {a}, {b}, or neither of them?",
    "If I look for {a} or {b} in this {pic}, will I find one of them?",
    "What about {a} and {b}: which of them is in the {pic}?",
    "Does this scene contain {a}, {b}, or neither of the two?",
    "Of {a} and {b}, which can be found in this {pic}, if either?",
    "Suppose I search this {pic} for {a} and for {b}: which of them would turn up?",
)
TELL_NEITHER = (
    "Neither of them: there is neither {a} nor {b} in the {pic}.",
    "The {pic} shows neither {a} nor {b}.",
    "You will find neither {a} nor {b} in this {pic}.",
)
ASK_COUNT = (
    "How many {xs} are there in the {pic}?",
    "How many {xs} can you see in this scene?",
    "What is the number of {xs} in the {pic}?",
    "Could you count the {xs} in this {pic}?",
    "How many {xs} does the {pic} show?",
    "How many {xs} are visible here?",
)
TELL_COUNT = (
    "There are {number} {xs} in the {pic}.",
    "The {pic} shows {number} {xs} in total.",
    "I can count {number} {xs} in this scene.",
    "Altogether, {number} {xs} can be seen in the {pic}.",
    "You can see {number} {xs} in the {pic}.",
    "In total, {number} {xs} are visible in this {pic}.",
)
TELL_ONE_WHERE = (
    "There is just one {x} in the {pic}, and it is {where}.",
    "The {pic} shows only one {x}, which is {where}.",
    "I can count one {x} in this scene, and it is {where}.",
    "Only one {x} can be seen, and it is {where}.",
    "There is a single {x} in the {pic}, and it is {where}.",
    "Exactly one {x} is visible, and it is {where}.",
)
TELL_ONE = (
    "There is just one {x} in the {pic}.",
    "The {pic} shows only one {x}.",
    "I can count one {x} in this scene.",
    "Only one {x} can be seen in the {pic}.",
    "There is a single {x} in the {pic}.",
    "Exactly one {x} is visible in the {pic}.",
)
ASK_COLOR = (
    "What color is the {x}?",
    "What is the color of the {x}?",
    "Can you tell me the color of the {x}?",
    "What color would you say the {x} is?",
    "In what color is the {x}?",
    "Which color does the {x} have?",
)
TELL_COLOR = (
    "The {x} in the {pic} is {color}.",
    "The {x} is {color} in color.",
    "The color of the {x} is {color}.",
    "It is {acolor} {x} that can be seen in the {pic}.",
    "The {x} that can be seen in the {pic} is {color}.",
    "The {pic} shows {acolor} {x}.",
)
TELL_COLOR_WHERE = (
    "The {x} is {color}, and it is {where}.",
    "The {x} {where} is {color}.",
    "It is {color}; you can find the {x} {where}.",
    "The {x}, which is {where}, is {color}.",
)
ASK_DOING = (
    "What {is} the {x} doing?",
    "What {is} the {x} doing in this {pic}?",
    "What {is} the {x} up to?",
    "Can you tell me what the {x} {is} doing?",
    "What can the {x} be seen doing?",
    "What activity {is} the {x} engaged in?",
    "What {is} the {x} busy with in this scene?",
)
TELL_DOING = (
    "The {x} {is} {what}.",
    "In this {pic}, the {x} {is} {what}.",
    "The {x} can be seen {what}.",
    "In the scene, the {x} {is} {what}.",
    "You can see the {x} {what} in this {pic}.",
    "At this moment, the {x} {is} {what}.",
)
ASK_PLACE = (
    "Where {is} the {x}?",
    "Where can the {x} be found in this scene?",
    "Can you tell me where the {x} {is}?",
    "In this scene, where {is} the {x}?",
    "Where would I find the {x}?",
    "What can you say about where the {x} {is}?",
)
TELL_PLACE = (
    "The {x} {is} {where}.",
    "In this {pic}, the {x} {is} {where}.",
    "The {x} can be found {where}.",
    "You can see that the {x} {is} {where}.",
    "In the scene, the {x} {is} {where}.",
    "The {x} can be seen {where}.",
)
ASK_REGION = (
    "In which part of the {pic} is the {x}?",
    "Where in the {pic} is the {x}?",
    "Where in the frame can the {x} be found?",
    "Which part of the {pic} should I look at to see the {x}?",
    "Where in the {pic} does the {x} appear?",
    "If I want to find the {x} in the {pic}, where should I look?",
)
TELL_REGION = (
    "The {x} is {where}.",
    "You can find the {x} {where}.",
    "The {x} appears {where}.",
    "The {x} can be seen {where}.",
    "If you look for the {x}, you will see it {where}.",
    "As for its position, the {x} is {where}.",
)
ASK_RELATION = (
    "Where is the {x} in relation to the {y}?",
    "How is the {x} placed with respect to the {y}?",
    "Compared with the {y}, where in the {pic} is the {x}?",
    "Looking from the {y}, in which direction is the {x} in the {pic}?",
    "What is the position of the {x} relative to the {y}?",
    "Where in the {pic} is the {x}, seen against the {y}?",
)
# Key: where the first thing lies.
TELL_RELATION = {
    "left": (
        "The {x} is to the left of the {y}.",
        "In the {pic}, the {x} is on the left of the {y}.",
        "The {x} appears to the left of the {y} in the {pic}.",
        "Seen by the viewer, the {x} is left of the {y}.",
    ),
    "right": (
        "The {x} is to the right of the {y}.",
        "In the {pic}, the {x} is on the right of the {y}.",
        "The {x} appears to the right of the {y} in the {pic}.",
        "Seen by the viewer, the {x} is right of the {y}.",
    ),
    "higher": (
        "The {x} is higher up in the {pic} than the {y}.",
        "In the {pic}, the {x} appears higher than the {y}.",
        "Seen by the viewer, the {x} is higher up than the {y}.",
    ),
    "lower": (
        "The {x} is lower in the {pic} than the {y}.",
        "In the {pic}, the {x} appears lower than the {y}.",
        "Seen by the viewer, the {x} is lower down than the {y}.",
    ),
}
ASK_SIZE = (
    "Which takes up more of the {pic}, the {x} or the {y}?",
    "Does the {x} or the {y} fill more of the {pic}?",
    "Between the {x} and the {y}, which one covers a larger part of the {pic}?",
    "Of the {x} and the {y}, which looks larger in the {pic}?",
    "Which of the two fills more of the frame, the {x} or the {y}?",
    "Comparing the {x} with the {y}, which one takes up more space in the {pic}?",
)
TELL_SIZE = (
    "The {x} takes up more of the {pic} than the {y}.",
    "The {x} fills more of the {pic} than the {y} does.",
    "The {x} covers a larger part of the {pic} than the {y}.",
    "In the {pic}, the {x} looks larger than the {y}.",
    "Of the two, the {x} takes up more space in the {pic} than the {y}.",
    "The {x} clearly fills more of the frame than the {y}.",
)
ASK_SETTING = (
    "Where does this scene take place?",
    "What kind of place does the {pic} show?",
    "What is the setting of this {pic}?",
    "Where was this {pic} taken?",
    "What sort of location is this?",
    "Can you tell where this scene is set?",
)
TELL_SETTING = (
    "The scene takes place {where}{with}.",
    "This {pic} was taken {where}{with}.",
    "The scene is set {where}{with}.",
    "It was taken {where}{with}.",
    "Everything takes place {where}{with}.",
    "What the {pic} shows takes place {where}{with}.",
)
TELL_INFERRED = (
    "It looks like {name}, since there {is} {list} in view.",
    "This seems to be {name}, because {list} can be seen.",
    "It is probably {name}, given that {list} are visible.",
    "The place looks like {name}, as {list} can be seen.",
)
ASK_OVERVIEW = (
    "What can be seen in this {pic}?",
    "What are the main things in this {pic}?",
    "What does the {pic} show?",
    "Which things can you make out in this {pic}?",
    "What is there to see in this scene?",
    "What stands out in this {pic}?",
)
TELL_OVERVIEW = (
    "The {pic} shows {list}.",
    "In this {pic}, you can see {list}.",
    "The main things in view are {list}.",
    "One can see {list} in this {pic}.",
    "The scene includes {list}.",
    "Looking at the {pic}, one can make out {list}.",
)
