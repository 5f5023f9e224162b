"""General words, and the categories that somebody may mean by them: the food on a table may be the pizza."""

import re
from functools import cache

from instructgen.lexicon.categories import CATEGORIES

_EATEN = (
    "food", "foods", "meal", "meals", "breakfast", "lunch", "dinner", "brunch", "snack", "snacks", "dish", "dishes",
    "cuisine", "entree",
)  # fmt: skip
_SWEETS = ("dessert", "desserts", "pastry", "pastries", "treat", "treats", "sweets", "baked goods")
_CARRIED = ("luggage", "baggage", "bags", "belongings")
_VESSELS = ("cup", "cups", "mug", "mugs", "glass", "glasses", "bottle", "bottles")
_DRUNK = ("drink", "drinks", "beverage", "beverages")
_TABLEWARE = ("silverware", "cutlery", "utensil", "utensils", "flatware")
_DEVICES = ("electronics", "devices")
_RIDDEN_IN = ("vehicle", "vehicles", "traffic")
# Before these it names something else: a traffic light, a food truck, a stuffed animal.
_HEADS = r"(?! (?:light|sign|signal|cone|jam|truck|cart|stand|court|toy|print|shelter|crossing)s?\b)"
_OTHER = r"(?<!stuffed )(?<!toy )"
_BY_GROUP = {
    "animal": ("animal", "animals", "livestock", "wildlife"),
    "food": _EATEN,
    "furniture": ("furniture", "furnishings"),
    "appliance": ("appliance", "appliances"),
    "electronic": _DEVICES,
}
_BY_NAME = {
    **dict.fromkeys(("car", "bus", "truck", "motorcycle"), _RIDDEN_IN),
    "train": _RIDDEN_IN[:2],
    "bicycle": ("vehicle", "vehicles"),
    "airplane": ("aircraft", "vehicle", "vehicles"),
    "boat": ("vessel", "vessels", "watercraft"),
    **dict.fromkeys(("banana", "apple", "orange"), (*_EATEN, "fruit", "fruits", "produce")),
    **dict.fromkeys(("broccoli", "carrot"), (*_EATEN, "vegetable", "vegetables", "veggies", "produce", "salad")),
    **dict.fromkeys(("cake", "donut"), (*_EATEN, *_SWEETS)),
    **dict.fromkeys(("suitcase", "backpack", "handbag"), _CARRIED),
    **dict.fromkeys(("bottle", "cup", "wine glass"), _DRUNK),
    **dict.fromkeys(("fork", "knife", "spoon"), _TABLEWARE),
    "bowl": ("dish", "dishes"),
    # Not boxed: what is eaten is a part of the meal, and what is drunk is in the cup.
    **dict.fromkeys(("bean", "vegetable", "potato", "french fry", "tomato", "onion", "salad"), _EATEN),
    **dict.fromkeys(("meat", "cheese", "rice", "bread", "sauce", "pasta", "lettuce", "soup", "egg"), _EATEN),
    **dict.fromkeys(("sausage", "noodle", "mushroom", "pepper", "cucumber"), _EATEN),
    **dict.fromkeys(("coffee", "tea", "milk", "juice", "beer", "wine", "soda"), (*_DRUNK, *_VESSELS)),
    "teddy bear": ("toy", "toys", "stuffed animal", "stuffed animals", "doll", "dolls"),
}


def is_meant(category: str, text: str) -> bool:
    """True if the text, in lower case, has a general word that may mean a thing of the category."""
    pattern = _pattern_of(category)
    return pattern is not None and pattern.search(text) is not None


@cache
def _pattern_of(category: str) -> re.Pattern[str] | None:
    one = CATEGORIES.get(category)
    words = _BY_NAME.get(category) or (_BY_GROUP.get(one.group) if one is not None else None)
    if words is None:
        return None
    before = "" if category == "teddy bear" else _OTHER
    return re.compile(rf"{before}\b(?:{'|'.join(words)})\b{_HEADS}")
