"""Reasoning about homes, work and free time."""

# ruff: noqa: E501 - a row of the table is a line

from instructgen.teachers.scene_program.rules.rule import Rule, words_of

HOME_RULES = (
    Rule(
        name="bathroom",
        any_of=words_of("toilet"),
        questions=(
            "What could be done to keep such a place pleasant and hygienic?",
            "What should one consider when planning a room like this?",
            "How might this place be made easier to use for everyone?",
        ),
        parts=(
            (
                "A room of this kind is usually used every day, so regular cleaning and fresh air tend to matter a lot.",
                "Hygiene generally comes first in such a place, because germs can spread on surfaces that many people touch.",
            ),
            (
                "Smooth surfaces can often be wiped quickly, and good ventilation may prevent mold.",
                "Enough room to move, good light and a floor that is not slippery would typically make it safer.",
            ),
            (
                "Rails and a higher seat can help older people, while a small step may be useful for children.",
                "Washing hands with soap is commonly seen as the simplest way to protect everybody.",
            ),
        ),
    ),
    Rule(
        name="cooking",
        any_of=words_of("oven, microwave, refrigerator"),
        questions=(
            "What would make working in a place like this easy and safe?",
            "What can people usually accomplish with the equipment at hand here?",
            "How might a room like this be organized well?",
        ),
        parts=(
            (
                "Appliances like these are usually found where food is stored and prepared.",
                "Such equipment typically allows people to keep, heat and cook food in one place.",
            ),
            (
                "Short ways between storage, sink and stove can often save time and prevent accidents.",
                "Hot surfaces and sharp tools may cause injuries, so a tidy counter would generally be safer.",
            ),
            (
                "It tends to help when things that are needed daily are kept within easy reach.",
                "Good light and fresh air can make the work more pleasant, especially when several people cook.",
            ),
        ),
    ),
    Rule(
        name="video games",
        all_of=words_of("person, remote"),
        questions=(
            "What may be the appeal of this kind of pastime?",
            "How could people get the most out of an activity like this?",
            "What are possible effects of spending free time this way?",
        ),
        parts=(
            (
                "A device held in the hand often serves to steer a game or to choose what to watch.",
                "Such devices are usually part of leisure at home, where people may play or watch together.",
            ),
            (
                "Playing together can be fun and may train quick reactions, above all when the whole body is involved.",
                "Games tend to reward practice, so even beginners can often see quick progress.",
            ),
            (
                "Regular breaks would generally do the eyes good, and enough free space can prevent bumps and bruises.",
                "It is commonly wise to set a limit of time, because hours may pass without being noticed.",
            ),
        ),
    ),
    Rule(
        name="computer work",
        any_of=words_of("laptop, keyboard, mouse"),
        questions=(
            "What is a place like this probably used for?",
            "How could somebody work here comfortably for a longer time?",
            "What might help a person to stay focused in these surroundings?",
        ),
        parts=(
            (
                "Equipment of this kind is usually used for work, study or communication.",
                "A computer can serve many purposes, so it may be used for work as well as for leisure.",
            ),
            (
                "A screen at eye height, a good chair and regular breaks would generally protect the back and the eyes.",
                "Typing for hours tends to strain the wrists, which is why short pauses can be so helpful.",
            ),
            (
                "A tidy surface and a quiet corner can often help people to concentrate.",
                "Turning off messages for a while may help as well, since interruptions often cost more time than expected.",
            ),
        ),
    ),
    Rule(
        name="phone",
        all_of=words_of("cell phone, person"),
        questions=(
            "How do devices like this usually influence daily life?",
            "What should people keep in mind when using such a device?",
            "What reasons might somebody have for using this device here?",
        ),
        parts=(
            (
                "A cell phone can be used to talk, write, take photos or look something up, so there may be many reasons to use it.",
                "People often use a cell phone to stay in touch, to find their way or simply to pass the time.",
            ),
            (
                "It can be very helpful, but it may also draw attention away from what happens close by.",
                "Looking at a small display while walking or driving can be dangerous, so a pause would generally be wise.",
            ),
            (
                "Many people therefore tend to put it aside when they talk with others face to face.",
                "Short breaks from the device can often help people to relax and to notice more around them.",
            ),
        ),
    ),
    Rule(
        name="sleeping",
        all_of=words_of("bed"),
        questions=(
            "What would make a place like this restful?",
            "How might this room support a good night of sleep?",
            "What could somebody change here to sleep better?",
        ),
        parts=(
            (
                "A bed is usually the center of a room made for rest, so comfort tends to come first.",
                "People typically spend about a third of their lives asleep, so the place where they sleep can matter a lot.",
            ),
            (
                "A firm mattress, fresh air and darkness would generally help people to sleep well.",
                "Soft light and quiet can calm the mind, while bright displays may keep people awake.",
            ),
            (
                "Regular hours and a tidy room can often help as much as expensive furniture.",
                "Some people may add plants or pictures, since familiar things often make a room feel safe.",
            ),
        ),
    ),
    Rule(
        name="living room",
        any_of=words_of("couch, tv"),
        questions=(
            "How would people probably spend their time in a place like this?",
            "What can make such a room feel welcoming?",
            "What does a room like this typically mean to the people who use it?",
        ),
        parts=(
            (
                "Furniture and devices of this kind usually belong to a place where people relax or meet guests.",
                "Such a place is often used for resting, talking, reading or watching something together.",
            ),
            (
                "Soft seats, warm light and a few personal things can generally make a room feel welcoming.",
                "The way seats are placed may decide whether people tend to talk with each other or look at a display.",
            ),
            (
                "A tidy floor and fresh air would often help as well, above all when many people use the room.",
                "After a long day, many people find that such a place can help them to calm down.",
            ),
        ),
    ),
    Rule(
        name="travel",
        any_of=words_of("suitcase, backpack"),
        all_of=words_of("person"),
        questions=(
            "What might be the purpose of what people carry here?",
            "How could somebody prepare well for such a situation?",
            "What may people like these be about to do?",
        ),
        parts=(
            (
                "Bags of this kind are usually packed for a trip, for school or for work.",
                "People often carry such bags when they are on the move, be it for a day or for longer.",
            ),
            (
                "Light packing generally makes moving around easier, while heavy loads can strain the back.",
                "A list made beforehand can often prevent that something important is left at home.",
            ),
            (
                "Papers, money and medicine would commonly be kept close to the body, where they tend to be safer.",
                "A name tag may help when a bag gets lost, and a bright ribbon can make it easier to find.",
            ),
        ),
    ),
    Rule(
        name="formal dress",
        all_of=words_of("tie, person"),
        questions=(
            "What kind of occasion might call for dressing like this?",
            "What impression does this way of dressing usually make?",
            "Why would somebody choose to dress this way?",
        ),
        parts=(
            (
                "A tie is usually worn at work, at ceremonies or on other formal occasions.",
                "Wearing a tie often signals that somebody takes an occasion seriously.",
            ),
            (
                "Such clothing tends to look neat and may lend a person some authority.",
                "Others may see it as a sign of respect, although customs can differ from place to place.",
            ),
            (
                "It could also be a personal choice, as some people simply enjoy dressing well.",
                "In many offices, the rules have generally become looser, so it may be a choice rather than a duty.",
            ),
        ),
    ),
    Rule(
        name="clock",
        all_of=words_of("clock"),
        questions=(
            "Why might it be useful to have such an object in this place?",
            "What role do objects like this usually play for people?",
            "Who may benefit from this object during the day?",
        ),
        parts=(
            (
                "A clock usually helps people to plan their day, and it can be useful wherever many people meet.",
                "Clocks in public places typically allow people to check the time at a glance.",
            ),
            (
                "Travelers, shoppers and workers may all rely on it, even though many people carry a phone.",
                "A large dial can often be read from far away, which would be helpful to people in a hurry.",
            ),
            (
                "A fine clock may also serve as decoration, and it can become a place where people like to meet.",
                "Old clocks generally need regular care, since dust and weather may affect their works.",
            ),
        ),
    ),
    Rule(
        name="flowers",
        any_of=words_of("vase, potted plant"),
        questions=(
            "What effect might the greenery have on people who spend time here?",
            "How could somebody keep this decoration fresh for a long time?",
            "Why do people commonly decorate a place in this way?",
        ),
        parts=(
            (
                "Plants and flowers usually make a place feel friendlier, and they may even lift the mood.",
                "People often decorate with plants or flowers because they can bring color and life to a place.",
            ),
            (
                "Fresh water and a spot that is not too hot would generally keep them fresh for longer.",
                "Most plants tend to need light and regular watering, although too much water can harm the roots.",
            ),
            (
                "Such a decoration may also be a gift or a sign that guests are expected.",
                "Choosing what suits the season can often save money and may look more natural.",
            ),
        ),
    ),
    Rule(
        name="toys",
        all_of=words_of("teddy bear"),
        questions=(
            "What might an object like this mean to somebody?",
            "Why are objects of this kind often kept for many years?",
            "For whom could this object have been made?",
        ),
        parts=(
            (
                "A teddy bear is usually a toy for children, but adults may keep one as a reminder of earlier times.",
                "Soft toys such as a teddy bear can often give children comfort, above all at bedtime.",
            ),
            (
                "Children tend to treat such a toy as a friend, which can help them to deal with new situations.",
                "It may have been a gift, and memories of the giver would often make it more precious.",
            ),
            (
                "A soft toy can generally be washed, which is useful because it may be carried everywhere.",
                "Handmade or old pieces can sometimes be valuable to collectors as well.",
            ),
        ),
    ),
    Rule(
        name="reading",
        all_of=words_of("book"),
        questions=(
            "What might the things here say about the interests of those who use them?",
            "How could this place support learning or leisure?",
            "What benefits do people usually draw from such things?",
        ),
        parts=(
            (
                "Books are usually kept by people who enjoy reading or who need them for study.",
                "Books can open the door to other times and places, and reading may also calm the mind.",
            ),
            (
                "Good light and a quiet corner would generally make it easier to read for longer.",
                "Regular reading tends to widen the vocabulary, and it can help people to concentrate.",
            ),
            (
                "Keeping books in order can often save time, although some people may prefer a creative mess.",
                "Sharing a good book with others would often lead to lively conversations.",
            ),
        ),
    ),
    Rule(
        name="resting outdoors",
        all_of=words_of("bench"),
        questions=(
            "What purpose might this spot serve for people passing by?",
            "Why could somebody decide to spend some time here?",
            "What makes such a spot inviting?",
        ),
        parts=(
            (
                "A bench usually invites people to rest, to wait or to enjoy the surroundings.",
                "Benches are typically placed where people like to pause or have to wait.",
            ),
            (
                "Older people in particular may depend on such places, as they can make longer walks possible.",
                "A pleasant view, some shade and a little quiet would generally make people stay longer.",
            ),
            (
                "Such a spot can also bring strangers together, since sharing a seat often leads to a chat.",
                "Regular upkeep tends to matter as well, because a clean and sturdy seat can feel much more inviting.",
            ),
        ),
    ),
)
