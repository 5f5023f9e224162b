"""Hand-made image records, small but with all that the scene program speaks of."""

from instructgen.records import Box, ImageRecord

SURFER = ImageRecord(
    image_id="made/1",
    file_name="1.jpg",
    width_px=640,
    height_px=480,
    captions=(
        "A man riding a wave on a yellow surfboard.",
        "A man in a black wetsuit is riding a wave.",
        "A surfer rides a wave in the ocean.",
        "A man rides a yellow surfboard in the ocean.",
        "The man is riding a large wave in the ocean.",
    ),
    boxes=(Box("person", 0.05, 0.2, 0.3, 0.6), Box("surfboard", 0.55, 0.65, 0.95, 0.8)),
)
DOGS = ImageRecord(
    image_id="made/2",
    file_name="2.jpg",
    width_px=640,
    height_px=480,
    captions=(
        "Two dogs are lying on a red couch.",
        "Two brown dogs lying on a couch in a living room.",
        "A couple of dogs rest on a red couch next to a lamp.",
        "The two dogs are lying on a couch near a lamp.",
        "A living room with two dogs on a red couch.",
    ),
    boxes=(
        Box("couch", 0.05, 0.3, 0.95, 0.95),
        Box("dog", 0.1, 0.4, 0.4, 0.7),
        Box("dog", 0.55, 0.4, 0.9, 0.7),
        Box("clock", 0.8, 0.05, 0.88, 0.15),
    ),
)
STREET = ImageRecord(
    image_id="made/3",
    file_name="3.jpg",
    width_px=800,
    height_px=600,
    captions=(
        "A red bus driving down a city street.",
        "A red double decker bus is driving down a street.",
        "A large red bus on a city street next to cars.",
        "A bus drives down the street near a building.",
        "There is a red bus on the street by a tall building.",
    ),
    boxes=(
        Box("bus", 0.02, 0.2, 0.48, 0.9),
        Box("car", 0.6, 0.6, 0.75, 0.75),
        Box("car", 0.8, 0.6, 0.98, 0.8),
        Box("traffic light", 0.9, 0.1, 0.94, 0.25),
        Box("person", 0.5, 0.6, 0.53, 0.7, is_crowd=True),
    ),
)
KITCHEN = ImageRecord(
    image_id="made/4",
    file_name="4.jpg",
    width_px=500,
    height_px=500,
    captions=(
        "A woman is holding a knife in a kitchen.",
        "A woman cutting a carrot with a knife.",
        "A lady in a kitchen cutting a carrot on a cutting board.",
        "The woman is holding a knife and smiling.",
        "A woman with a knife stands in a kitchen.",
    ),
    boxes=(
        Box("person", 0.3, 0.1, 0.7, 0.98),
        Box("knife", 0.72, 0.5, 0.85, 0.58),
        Box("carrot", 0.1, 0.7, 0.25, 0.8),
        Box("oven", 0.0, 0.3, 0.2, 0.65),
        Box("refrigerator", 0.8, 0.0, 1.0, 0.48),
    ),
)
GIRAFFE = ImageRecord(
    image_id="made/5",
    file_name="5.jpg",
    width_px=640,
    height_px=480,
    captions=(
        "A giraffe standing in a field next to a tree.",
        "A tall giraffe stands in a grassy field.",
        "A giraffe is standing by a tree in a field.",
        "A giraffe in a field with no people.",
        "A giraffe stands near a tree.",
    ),
    boxes=(Box("giraffe", 0.4, 0.05, 0.6, 0.95),),
)
NOTHING = ImageRecord("made/6", "6.jpg", 640, 480, (), ())
ODD = ImageRecord(
    "made/7", "7.jpg", 640, 480, ("A zorblax!!", '"???" says the sign', "a"), (Box("gadget", 0.0, 0.0, 1.0, 1.0),)
)

MADE_IMAGES = (SURFER, DOGS, STREET, KITCHEN, GIRAFFE)
