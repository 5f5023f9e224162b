"""Surface forms of the detailed description, none of them shared with the conversation.

Slots as in `forms`; {who} is a subject with its article, {main} the main thing.
"""

OPEN_FACT = (
    "The {pic} captures {who} {what}{setting}.",
    "In the {pic}, {who} {is} {what}{setting}.",
    "This is {apic} of {who} {what}{setting}.",
    "The scene presents {who} {what}{setting}.",
    "This {pic} features {who} {what}{setting}.",
    "Here, {who} {is} {what}{setting}.",
)
OPEN_LIST = (
    "The {pic} captures {list}{setting}.",
    "This is {apic} of {list}{setting}.",
    "This {pic} features {list}{setting}.",
    "The scene presents {list}{setting}.",
    "At first glance, the {pic} contains {list}{setting}.",
    "The focus of this {pic} is on {list}{setting}.",
)
MORE_FACT = (
    "The {x} {is} also {what}.",
    "It can also be seen that the {x} {is} {what}.",
    "Meanwhile, the {x} {is} {what}.",
    "Besides this, the {x} {is} {what}.",
    "A closer look shows that the {x} {is} {what}.",
)
COLOR_ONE = (
    "As for colors, the {x} is {color}.",
    "The {x} in this scene is {color}.",
    "In terms of color, the {x} is {color}.",
    "The {x} shown here is {color}.",
    "Its colors are easy to tell: the {x} is {color}.",
)
COLOR_TWO = (
    "The {x} is {color}, while the {y} is {other}.",
    "As for colors, the {x} is {color} and the {y} is {other}.",
    "In terms of color, the {x} is {color}, whereas the {y} is {other}.",
)
PLACE_ONE = (
    "In the frame, {x} is placed {where}.",
    "{x} has its place {where}.",
    "Within the frame, {x} lies {where}.",
    "{x} is positioned {where}.",
    "{x} is located {where}.",
)
PLACE_TWO = (
    "{x} is positioned {where}, and {y} is located {there}.",
    "Within the frame, {x} is located {where}, while {y} is positioned {there}.",
    "{x} is located {where}, whereas {y} is placed {there}.",
)
REGION_LIST = {
    "left": (
        "Toward the left, there {is} {list}.",
        "The left side of the frame holds {list}.",
        "Over on the left, there {is} {list}.",
    ),
    "right": (
        "Toward the right, there {is} {list}.",
        "The right side of the frame holds {list}.",
        "Over on the right, there {is} {list}.",
    ),
}
COUNT = (
    "In total, there are {number} {xs} to be seen.",
    "Counting them gives {number} {xs}.",
    "The number of {xs} is {number}.",
    "All in all, {number} {xs} are present.",
    "There are exactly {number} {xs} here.",
)
OTHERS = (
    "Other things in view include {list}.",
    "The scene also contains {list}.",
    "Apart from that, {list} can be made out.",
    "Further details of the scene include {list}.",
    "In addition, the {pic} contains {list}.",
)
RELATION = {
    "left": (
        "From where the viewer stands, the {x} is left of the {y}.",
        "The {x} is placed to the left of the {y}.",
    ),
    "right": (
        "From where the viewer stands, the {x} is right of the {y}.",
        "The {x} is placed to the right of the {y}.",
    ),
    "higher": (
        "The {x} is placed higher in the frame than the {y}.",
        "The {x} sits higher up in the frame than the {y}.",
    ),
    "lower": ("The {x} is placed lower in the frame than the {y}.", "The {x} sits lower in the frame than the {y}."),
}
SPREAD = {
    "left": (
        "All of the {xs} are in the left half of the frame.",
        "The {xs} are all found in the left half of the {pic}.",
    ),
    "right": (
        "All of the {xs} are in the right half of the frame.",
        "The {xs} are all found in the right half of the {pic}.",
    ),
    "top": (
        "All of the {xs} are in the upper half of the frame.",
        "The {xs} are all found in the upper half of the {pic}.",
    ),
    "bottom": (
        "All of the {xs} are in the lower half of the frame.",
        "The {xs} are all found in the lower half of the {pic}.",
    ),
}
BOTH_SIDES = (
    "There are {xs} in the left half of the frame as well as in the right half.",
    "Both the left and the right half of the frame contain {xs}.",
    "The {xs} can be found in the left half of the frame and in the right half too.",
)
LARGEST = (
    "The {x} that looks largest is found {where}.",
    "Of the {xs}, the largest one in the frame is {where}.",
    "One of the {xs}, the largest in the frame, is {where}.",
)
SEVERAL = (
    "More than one {x} is to be seen here.",
    "There is more than one {x} in view.",
    "It is clear that there is more than one {x} here.",
)
WIDE = (
    "From side to side, the {x} stretches across most of the {pic}.",
    "The {x} spans most of the width of the frame.",
    "Most of the width of the {pic} is taken up by the {x}.",
)
TALL = (
    "From top to bottom, the {x} stretches over most of the {pic}.",
    "The {x} spans most of the height of the frame.",
    "Most of the height of the {pic} is taken up by the {x}.",
)
SMALL = (
    "The {x} takes up only a small part of the {pic}.",
    "The {x} is rather small in the frame.",
    "Only a small part of the frame belongs to the {x}.",
)
SIZE = (
    "The {x} occupies more of the frame than the {y}.",
    "Compared with the {y}, the {x} takes up the larger part of the frame.",
    "The {x} looks considerably larger in the frame than the {y}.",
)
COUNT_ONE = (
    "There is exactly one {x} here.",
    "The {x} is the only one of its kind in the {pic}.",
    "No second {x} is to be seen.",
)
CLOSE_SETTING = (
    "The whole scene is set {where}.",
    "All of this takes place {where}.",
    "The setting of the scene is {name}.",
    "The surroundings are those of {name}.",
)
CLOSE_INFERRED = (
    "The presence of {list} suggests that this is {name}.",
    "With {list} in view, the place appears to be {name}.",
)
CLOSE_EMPTY = (
    "There are no people in sight, so the attention stays on the {main}.",
    "No people are present, which keeps the attention on the {main}.",
    "Nobody is in view, so the {main} can have all the attention.",
)
CLOSE_NOBODY = (
    "There are no people in sight.",
    "Nobody is in view.",
    "No people are present.",
)
CLOSE_ABSENT = (
    "There is neither {a} nor {b} anywhere in the frame.",
    "One will look in vain for {a} or {b} here.",
    "Neither {a} nor {b} is part of the scene.",
)
CLOSE_MAIN = (
    "Overall, the attention in this {pic} goes to the {main}.",
    "On the whole, the attention goes to the {main}.",
    "Taken as a whole, the {pic} is mostly about the {main}.",
    "All things considered, the focus of the scene is on the {main}.",
)
