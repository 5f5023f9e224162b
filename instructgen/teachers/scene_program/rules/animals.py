"""Reasoning about animals."""

# ruff: noqa: E501 - a row of the table is a line

from instructgen.teachers.scene_program.rules.rule import Rule, words_of

ANIMAL_RULES = (
    Rule(
        name="riding",
        all_of=words_of("horse, person"),
        questions=(
            "What is important when people and animals work together like this?",
            "What should one pay attention to in order to keep everyone safe here?",
            "How could trust between a person and an animal be built up?",
        ),
        parts=(
            (
                "People and horses often work together, and this usually depends on calm signals and mutual trust.",
                "Horses can sense tension quickly, so calm movements and a quiet voice would generally be helpful.",
            ),
            (
                "A horse may be startled by sudden noise, which is why it is commonly wise to approach it from the side.",
                "Riders typically wear a helmet and sturdy boots, because a fall from such a height can be serious.",
            ),
            (
                "Regular care, rest and patient training tend to make an animal more reliable over time.",
                "Trust would normally grow through daily care, such as feeding, brushing and short lessons.",
            ),
        ),
    ),
    Rule(
        name="dog and person",
        all_of=words_of("dog, person"),
        questions=(
            "What does spending time with an animal like this usually mean for people?",
            "What does an animal of this kind probably need to stay healthy and content?",
            "How may both sides benefit from the time they spend together?",
        ),
        parts=(
            (
                "Dogs generally enjoy company, and people often find that a dog can lift their mood.",
                "People who share their days with a dog tend to move more and may feel less lonely.",
            ),
            (
                "A dog usually needs daily exercise, fresh water, training and a fair amount of attention.",
                "Walks and games can keep a dog fit, while clear rules would help it to feel secure.",
            ),
            (
                "Both sides can therefore profit: the animal gets activity, and the person often gets a loyal companion.",
                "It is commonly wise to watch the weather too, since heat or cold can be hard on a dog.",
            ),
        ),
    ),
    Rule(
        name="dog",
        all_of=words_of("dog"),
        questions=(
            "What might this animal need from the people who look after it?",
            "What can one usually tell about the needs of such an animal?",
            "How would a responsible owner care for an animal like this?",
        ),
        parts=(
            (
                "Dogs are social animals, so they usually need company, clear routines and regular exercise.",
                "A dog typically depends on people for food, water, exercise and a safe place to rest.",
            ),
            (
                "Daily walks and a little training can prevent boredom, which may otherwise lead to unwanted habits.",
                "Posture, ears and tail can often tell a careful owner whether a dog feels relaxed or tense.",
            ),
            (
                "Visits to a vet and healthy food would generally help such an animal to live a long life.",
                "A responsible owner would usually also watch its weight, its coat and its teeth.",
            ),
        ),
    ),
    Rule(
        name="cat",
        all_of=words_of("cat"),
        questions=(
            "Why might this animal have chosen such a spot?",
            "What does the behavior of this animal probably tell us?",
            "How can people make a home comfortable for an animal like this?",
        ),
        parts=(
            (
                "Cats usually look for places that feel warm and safe, or from which they can watch what goes on.",
                "Cats tend to choose spots that are soft, warm or a little hidden, as these often give them a sense of safety.",
            ),
            (
                "They may sleep for a large part of the day, and familiar smells can make a spot even more attractive.",
                "A cat that feels secure will often rest or explore in the open, whereas a nervous one may hide.",
            ),
            (
                "A quiet place to rest, something to scratch and a little play would generally keep such a pet content.",
                "Owners can often help by offering high places, fresh water and toys that wake the hunting instinct.",
            ),
        ),
    ),
    Rule(
        name="elephants",
        all_of=words_of("elephant"),
        questions=(
            "What do animals of this kind usually need in order to live well?",
            "Why might it be important to protect such animals?",
            "What is commonly known about the way these animals live?",
        ),
        parts=(
            (
                "Elephants are usually social animals that live in groups and can remember places and companions for years.",
                "Elephants typically spend many hours a day eating, and they may drink a great deal of water.",
            ),
            (
                "They generally need wide spaces, shade and water, because such large bodies can easily get too warm.",
                "An elephant can use its trunk for breathing, drinking, greeting and grasping, which often surprises visitors.",
            ),
            (
                "Loss of habitat and hunting may threaten them, so reserves and careful keepers can make a real difference.",
                "Protecting them would often help other species too, since elephants tend to shape the land they live on.",
            ),
        ),
    ),
    Rule(
        name="giraffes and zebras",
        any_of=words_of("giraffe, zebra"),
        questions=(
            "How are animals like these usually adapted to their surroundings?",
            "What might help animals like these to survive in the wild?",
            "Why do such animals probably attract the interest of many people?",
        ),
        parts=(
            (
                "Giraffes and zebras are grazing or browsing animals that typically come from the grasslands of Africa.",
                "Animals of the African grasslands usually have to find food over wide areas and stay alert at the same time.",
            ),
            (
                "Height can help a giraffe to reach leaves that others cannot, while stripes may help a zebra to confuse predators.",
                "Patterns on the coat can often blend an animal into its surroundings, and each pattern is generally unique.",
            ),
            (
                "Such animals often keep together for safety, because many eyes would notice danger sooner than two.",
                "Watching them can teach people a lot about nature, which may be why zoos and reserves are so popular.",
            ),
        ),
    ),
    Rule(
        name="grazing animals",
        any_of=words_of("cow, sheep, horse"),
        questions=(
            "What does a place need to offer for animals like these to do well?",
            "Why do people commonly keep animals of this kind?",
            "What may a typical day of these animals look like?",
        ),
        parts=(
            (
                "Animals of this kind usually spend many hours a day grazing, so they tend to need plenty of fresh grass.",
                "Such animals typically live in groups, in which they can feel safe and rest by turns.",
            ),
            (
                "Clean water, shade and enough room would generally matter as well, above all on warm days.",
                "People often keep them for milk, wool, meat or work, and sometimes simply for company.",
            ),
            (
                "Farmers may move them from one pasture to another, because the plants can then recover.",
                "Regular care and sturdy fences can often prevent illness and keep the animals from harm.",
            ),
        ),
    ),
    Rule(
        name="birds",
        all_of=words_of("bird"),
        questions=(
            "What might have drawn such animals to a place like this?",
            "How could people enjoy and protect animals of this kind?",
            "What is commonly known about the needs of these animals?",
        ),
        parts=(
            (
                "Birds usually go where they can find food, water and a safe place to rest.",
                "Birds are often drawn to places that offer food and a good view of possible danger.",
            ),
            (
                "They tend to stay alert even while resting, and a sudden movement may make them fly off at once.",
                "Many species can adapt well to the company of people, while others would keep their distance.",
            ),
            (
                "Watching quietly from afar is generally the best way to enjoy them, as it can spare them needless stress.",
                "People can often help by keeping the water clean and by not feeding them bread, which may harm them.",
            ),
        ),
    ),
    Rule(
        name="bears",
        all_of=words_of("bear"),
        questions=(
            "How should people behave around an animal like this?",
            "What is commonly known about the life of such an animal?",
            "Why is it usually wise to keep some distance here?",
        ),
        parts=(
            (
                "Bears are strong and usually shy animals, but they can become dangerous when they feel threatened.",
                "Bears typically spend much of their time looking for food, and their sense of smell tends to be excellent.",
            ),
            (
                "Keeping a wide distance and moving away slowly would generally be safer than running.",
                "They may eat plants, fish and insects, and many of them rest for long periods in the cold season.",
            ),
            (
                "Food left behind by visitors can attract them, which is why it is commonly stored in sealed boxes.",
                "A respectful distance can protect both sides, as the animal would often simply go its own way.",
            ),
        ),
    ),
)
