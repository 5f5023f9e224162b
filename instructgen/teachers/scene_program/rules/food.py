"""Reasoning about food and meals."""

# ruff: noqa: E501 - a row of the table is a line

from instructgen.teachers.scene_program.rules.rule import Rule, words_of

FOOD_RULES = (
    Rule(
        name="celebration",
        all_of=words_of("cake"),
        questions=(
            "What kind of occasion might this belong to?",
            "What could be the reason for preparing something like this?",
            "Why do people commonly make an effort of this sort?",
        ),
        parts=(
            (
                "A cake is often served on special occasions, so a birthday, a wedding or another celebration could be the reason.",
                "Cakes are usually made for sharing, which suggests that several people might be meant to enjoy it.",
            ),
            (
                "Decoration typically takes time and skill, and it can show how much somebody cares about the occasion.",
                "Baking and decorating can take hours, so people tend to do it when they want to please somebody.",
            ),
            (
                "It may of course also be an ordinary treat, as sweet things often go well with coffee or tea.",
                "Sharing something sweet can bring people together, and this is often what they remember later.",
            ),
        ),
    ),
    Rule(
        name="pizza",
        all_of=words_of("pizza"),
        questions=(
            "What might make this meal popular with so many people?",
            "How could a meal like this be made a little healthier?",
            "What usually goes into making a good version of this meal?",
        ),
        parts=(
            (
                "Pizza is usually made from simple things such as dough, sauce and cheese, and it can be varied endlessly.",
                "Pizza tends to be easy to share and to eat by hand, which may explain much of its popularity.",
            ),
            (
                "A hot oven and a well rested dough are commonly said to make the crust light and crisp.",
                "More vegetables, less cheese and a thin crust would generally make it a lighter meal.",
            ),
            (
                "With a salad and water on the side, it can often become a fairly balanced dinner.",
                "Fresh toppings can lift the taste considerably, while too many of them may leave it soggy.",
            ),
        ),
    ),
    Rule(
        name="healthy food",
        any_of=words_of("broccoli, carrot, apple, orange, banana"),
        questions=(
            "What can be said about the value of this food for the body?",
            "Why might somebody decide to eat this?",
            "How could this food be part of a balanced diet?",
        ),
        parts=(
            (
                "Fruit and vegetables usually provide vitamins and fiber, which the body needs to stay healthy.",
                "Food of this kind is generally rich in vitamins and fiber and tends to be low in fat.",
            ),
            (
                "People often reach for it when they want a light meal or a snack that gives lasting energy.",
                "Bright colors can make it look appealing, and that may help children to try something new.",
            ),
            (
                "It would typically be combined with grains and a source of protein to make a balanced meal.",
                "Washing it well and eating it fresh can help, since long storage may lower its value.",
            ),
        ),
    ),
    Rule(
        name="fast food",
        any_of=words_of("hot dog, sandwich, donut"),
        questions=(
            "When might people typically choose to eat something like this?",
            "What makes this sort of food convenient?",
            "What should one consider when eating this often?",
        ),
        parts=(
            (
                "Food like this can usually be eaten by hand, which makes it handy for a quick lunch or a trip.",
                "People often choose such food when time is short, because it can be prepared and eaten quickly.",
            ),
            (
                "It may contain a fair amount of salt, sugar or fat, so it would generally be best as an occasional treat.",
                "The taste tends to be rich, and that may be one reason why it is popular at fairs and games.",
            ),
            (
                "Fresh vegetables and water on the side can often turn it into a better meal.",
                "A smaller portion with some fruit can often satisfy hunger just as well.",
            ),
        ),
    ),
    Rule(
        name="dining",
        all_of=words_of("dining table"),
        any_of=words_of("fork, knife, spoon, bowl, cup, wine glass, bottle"),
        questions=(
            "What is probably about to happen here, or what may just have happened?",
            "What might the way things are laid out tell us?",
            "How could this moment be made pleasant for those who take part?",
        ),
        parts=(
            (
                "Things like these are usually laid out for a meal, so people may be about to eat or may have just finished.",
                "Such an arrangement often belongs to a shared meal or to a drink among friends.",
            ),
            (
                "A shared table can bring people together, and a conversation would commonly be as important as the food.",
                "A neatly laid table tends to show that somebody cares, while a few crumbs may show that it was enjoyed.",
            ),
            (
                "Good light, enough room and a relaxed pace can often make such a moment more pleasant.",
                "Clearing up together would often be a fair way to end it, as many hands can make the work light.",
            ),
        ),
    ),
    Rule(
        name="drinks",
        any_of=words_of("wine glass, cup, bottle"),
        questions=(
            "In what kind of situation are things like these commonly used?",
            "What might people be doing at a moment like this?",
            "What does this suggest about the mood of the moment?",
        ),
        parts=(
            (
                "Vessels for drinks are usually at hand when people take a break, eat or spend time with others.",
                "Drinks are often part of a pause or of a meeting, so the mood may well be a relaxed one.",
            ),
            (
                "A warm drink can help somebody to wake up, and a cold one would generally be welcome on a hot day.",
                "What people drink may depend on the hour, the weather and the company they keep.",
            ),
            (
                "It is commonly wise to keep liquids away from papers and machines, because a spill can do damage.",
                "Plain water tends to be the best choice for thirst, even though other drinks may taste better.",
            ),
        ),
    ),
    Rule(
        name="bowls",
        any_of=words_of("bowl, spoon, fork, knife"),
        questions=(
            "What are objects like these commonly needed for?",
            "What might be the next step for somebody here?",
            "What would be useful to know before handling these things?",
        ),
        parts=(
            (
                "Tools like these usually serve for preparing or eating food, so a meal may be near.",
                "Such things are typically part of a kitchen and are used for mixing, serving or eating.",
            ),
            (
                "Clean tools and clean hands generally matter, because germs can pass easily to food.",
                "Having all tools ready before starting tends to make cooking quicker and calmer.",
            ),
            (
                "Sharp edges should usually be handled with care, and children may need the help of an adult.",
                "Washing up soon afterwards can often save work, as dried food tends to stick.",
            ),
        ),
    ),
)
