"""Reasoning about streets, travel and transport."""

# ruff: noqa: E501 - a row of the table is a line

from instructgen.teachers.scene_program.rules.rule import Rule, words_of

STREET_RULES = (
    Rule(
        name="rain",
        all_of=words_of("umbrella, person"),
        questions=(
            "What could be the reason for what people carry here?",
            "What may this scene tell us about the conditions of the day?",
            "How do people usually protect themselves in such conditions?",
        ),
        parts=(
            (
                "An umbrella usually serves as protection from rain, but it can just as well give shade on a sunny day.",
                "People often carry an umbrella when rain is expected, and some may use one against strong sun.",
            ),
            (
                "Wet ground or gray light would speak for rain, while bright light and light clothes may speak for sunshine.",
                "A large umbrella can typically cover two people, so it may also bring people closer together.",
            ),
            (
                "In either case, it would generally be a sensible way to stay comfortable outdoors for a longer time.",
                "Gusts of wind can turn an umbrella inside out, so it is commonly held close and at an angle.",
            ),
        ),
    ),
    Rule(
        name="motorcycles",
        all_of=words_of("motorcycle"),
        questions=(
            "What should somebody consider before setting out on such a vehicle?",
            "What are the likely advantages and drawbacks of traveling this way?",
            "How could safety be improved for people who travel like this?",
        ),
        parts=(
            (
                "Motorcycles are usually quick and easy to park, which can be a real advantage in a crowded place.",
                "A motorcycle typically needs little room and fuel, but it may offer little protection in an accident.",
            ),
            (
                "Riders are generally safer with a helmet, gloves and sturdy clothes, as even a small fall can hurt.",
                "Other drivers may overlook a motorcycle, so bright clothing and working lights would often help.",
            ),
            (
                "Rain, sand and sudden braking can be risky on two wheels, so careful riders tend to keep a longer distance.",
                "Regular checks of the tires, brakes and chain can often prevent trouble on the road.",
            ),
        ),
    ),
    Rule(
        name="bicycles",
        all_of=words_of("bicycle"),
        questions=(
            "Why might somebody choose this way of getting around?",
            "What could make a place like this friendlier to people on two wheels?",
            "What benefits does this means of transport usually offer?",
        ),
        parts=(
            (
                "Bicycles are usually cheap, quiet and clean, so they can be a good choice for short trips.",
                "People often choose a bicycle because it can pass crowded streets and is easy to park.",
            ),
            (
                "Riding also tends to keep people fit, although rain, hills and busy roads may make it harder.",
                "Safe lanes, good racks and slower traffic would generally encourage more people to ride.",
            ),
            (
                "A helmet, working lights and a solid lock are commonly seen as wise additions.",
                "A good lock can often prevent theft, and a bell may warn people on foot in time.",
            ),
        ),
    ),
    Rule(
        name="trains",
        all_of=words_of("train"),
        questions=(
            "Why do many people prefer to travel this way?",
            "What safety rules would usually apply in a place like this?",
            "What role does this kind of transport typically play?",
        ),
        parts=(
            (
                "Trains can usually move many people or goods at once, and they tend to need less energy than cars.",
                "Rail transport typically offers a steady ride, on which passengers may read, work or rest.",
            ),
            (
                "A moving train often needs hundreds of meters to stop, so people should generally stay behind the marked line.",
                "Crossing tracks can be very dangerous, because a train may come faster and more quietly than expected.",
            ),
            (
                "Good timetables and clean stations would often persuade more people to leave their cars at home.",
                "For those who work in a city, such a link can save time and would often lower the cost of travel.",
            ),
        ),
    ),
    Rule(
        name="airplanes",
        all_of=words_of("airplane"),
        questions=(
            "What usually has to happen before such a machine can be used safely?",
            "What might make this kind of travel attractive to people?",
            "Which conditions are likely to matter for the people in charge here?",
        ),
        parts=(
            (
                "Airplanes typically go through many checks before a flight, from the fuel to the tires.",
                "Flying can usually bring people across great distances within hours, which explains much of its appeal.",
            ),
            (
                "Wind, clouds and visibility may decide whether a pilot takes off, waits or chooses another route.",
                "Crews on the ground and in the air generally have to work closely together, as small errors can have large effects.",
            ),
            (
                "Careful planning of this kind tends to make flying one of the safer ways to travel.",
                "At the same time, noise and fuel use can be a burden, so quieter and lighter designs would often be welcome.",
            ),
        ),
    ),
    Rule(
        name="boats",
        all_of=words_of("boat"),
        questions=(
            "What should people think of before they go out here?",
            "How might the weather affect what goes on in a place like this?",
            "What may boats like these commonly be used for?",
        ),
        parts=(
            (
                "Boats can serve many purposes, and they are usually used for fishing, transport, sport or leisure.",
                "People who go out on the water would usually check the weather and the state of their boat first.",
            ),
            (
                "Wind and waves may change quickly, so life jackets and a way to call for help tend to be essential.",
                "Calm water generally makes it easy to steer, while strong wind can push a small boat off its course.",
            ),
            (
                "It is commonly wise to tell somebody on land about the plan and the time of return.",
                "A sheltered place can often protect boats from storms, which may be why people gather them there.",
            ),
        ),
    ),
    Rule(
        name="buses",
        all_of=words_of("bus"),
        questions=(
            "What benefits does this kind of transport usually bring to a town?",
            "Why might people decide to travel this way instead of driving?",
            "What could make this way of traveling more attractive?",
        ),
        parts=(
            (
                "A bus can usually carry as many people as dozens of cars, so it tends to save space on the road.",
                "People often take a bus because it can be cheaper than driving and needs no search for parking.",
            ),
            (
                "Fewer cars generally mean less noise and cleaner air, which may benefit everybody in town.",
                "Passengers can typically read or rest on the way, while the driver takes care of the traffic.",
            ),
            (
                "Frequent service, low fares and clear signs would often win over even more passengers.",
                "Separate lanes can help as well, because they may keep a bus moving when other traffic stands still.",
            ),
        ),
    ),
    Rule(
        name="crossing",
        any_of=words_of("traffic light, stop sign"),
        questions=(
            "How is traffic in a place like this usually kept safe?",
            "What should drivers and people on foot pay attention to here?",
            "What might happen if the rules of this place were ignored?",
        ),
        parts=(
            (
                "Signs and lights of this kind usually tell road users who may go first and who has to wait.",
                "Such signals are typically placed where paths meet, because that is where accidents can easily happen.",
            ),
            (
                "If they were ignored, cars could collide, and people on foot would be at the greatest risk.",
                "Drivers should generally slow down early and look both ways, even when they may go first.",
            ),
            (
                "Clear rules tend to make the behavior of others easier to predict, which can prevent many accidents.",
                "People on foot can often add to their own safety by waiting, looking twice and being easy to see.",
            ),
        ),
    ),
    Rule(
        name="hydrant",
        any_of=words_of("fire hydrant"),
        questions=(
            "Why is it usually important to keep such a spot free?",
            "What purpose does an object like this commonly serve?",
            "Who would depend on this object in an emergency?",
        ),
        parts=(
            (
                "A fire hydrant usually gives fire crews quick access to water, so it may save valuable minutes.",
                "Fire hydrants are typically connected to the water supply of a town and can feed several hoses.",
            ),
            (
                "Parking in front of one is commonly forbidden, because a blocked hydrant could delay help.",
                "Bright paint can often help crews to find it quickly, even at night or in heavy rain.",
            ),
            (
                "Regular checks would generally make sure that the valves open and that the pressure is high enough.",
                "Neighbors can help too, for example by clearing away snow or plants that might hide it.",
            ),
        ),
    ),
    Rule(
        name="parking",
        any_of=words_of("parking meter"),
        questions=(
            "Why do towns commonly install devices like this?",
            "What should drivers usually keep in mind in such a place?",
            "What effect might such devices have on a busy area?",
        ),
        parts=(
            (
                "Parking meters usually limit how long a car may stay, so more drivers can find a free space.",
                "Towns often set up parking meters where space is scarce and many people want to stop.",
            ),
            (
                "The money can typically be used for roads or public transport, although not everybody likes to pay.",
                "Drivers should generally check the allowed time, since a fine tends to cost far more than a ticket.",
            ),
            (
                "In busy areas, this can lower the number of cars that circle around in search of a place.",
                "Some people may choose to walk or to take a bus instead, which can make streets calmer.",
            ),
        ),
    ),
    Rule(
        name="traffic",
        any_of=words_of("car, truck"),
        questions=(
            "What should people moving around in a place like this be careful about?",
            "How might daily life in such a place be shaped by traffic?",
            "What could make a place like this safer for everyone?",
        ),
        parts=(
            (
                "Where vehicles and people share a space, everybody usually has to pay attention to the others.",
                "Motor traffic can bring people and goods almost anywhere, but it often comes with noise and risk.",
            ),
            (
                "Drivers may overlook somebody between parked vehicles, so low speeds would generally make a great difference.",
                "Wide sidewalks, good lighting and clear crossings tend to make such places safer for people on foot.",
            ),
            (
                "Eye contact between drivers and people on foot can often prevent misunderstandings.",
                "Good planning may balance the needs of both, so that a place can stay lively without being dangerous.",
            ),
        ),
    ),
)
