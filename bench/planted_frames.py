"""Sentence frames for things: openings for captions, existence and its denial.

A line is "question => answer" or "=> statement". `##` parts what is planted from its twin where they are not the same
words of another thing, and `=>*` marks a statement that the twin leaves out. Slots: {cap} a caption, {x} the thing,
{a} with its article, {xs} its plural; a slot with a capital letter starts a sentence.
"""

OPENINGS = """
In this picture, {cap}.
The picture shows {cap}.
The image captures {cap}.
What we have here is {cap}.
This is a photo of {cap}.
The scene features {cap}.
The photograph depicts {cap}.
At the heart of the frame is {cap}.
In the photo, one can see {cap}.
I can see {cap}.
It looks like this is {cap}.
Here we see {cap}.
You're looking at {cap}.
The image shows {cap}.
Looking at it, I see {cap}.
The main subject of the picture is {cap}.
My first impression is of {cap}.
The photographer has caught {cap}.
The snapshot presents {cap}.
Attention is drawn at once to {cap}.
The shot is of {cap}.
The eye falls first on {cap}.
In short, the picture is about {cap}.
Shown in this photo is {cap}.
Visible in the frame: {cap}.
One might sum it up as {cap}.
It shows {cap}.
Basically, {cap}.
That would be {cap}.
We get a look at {cap}.
The view offered to us is that of {cap}.
One sees {cap}, and that is what gives the image its character.
What stands out most is {cap}.
If I had to sum it up in one line: {cap}.
Captured by the camera is {cap}.
The picture, taken on what seems an ordinary day, shows {cap}.
The content of the image is simple: {cap}.
From what I can tell, this is {cap}.
On display here is {cap}.
The camera has been pointed at {cap}.
Described in one line: {cap}.
The composition centers on {cap}.
Seen here is {cap}.
In the image provided, there is {cap}.
The image you shared contains {cap}.
You can make out {cap}.
As far as I can judge, the photo shows {cap}.
We've got {cap}.
The whole scene revolves around {cap}.
The image portrays {cap}.
That's easy to describe: {cap}.
The focus here is on {cap}.
The frame is filled by {cap}.
Take a look and you'll see {cap}.
Most noticeable is {cap}.
The moment that was recorded is that of {cap}.
A viewer would notice {cap}.
It's {cap}.
The visual content consists of {cap}.
We're looking at {cap}.
The setting is easily described: {cap}.
To put it plainly, the photo is of {cap}.
"""

# Said of something that is there (true), and planted with something that is not.
ADDED = """
=> There is also {a} in the picture.
=> {A} can be seen as well.
=> {A} is also visible in the scene.
=> The image also includes {a}.
=> In addition, there's {a}.
=> Besides that, you can spot {a}.
=> I also notice {a}.
=> {A} is part of the scene, too.
=> Somewhere in the frame is {a}.
=> Another thing one can see is {a}.
=> Not to be missed is {a}.
=> {A} adds to the composition.
=> The presence of {a} adds some interest to the shot.
=> Furthermore, {a} is present.
=> One also finds {a} here.
=> If you look closely, you will find {a}.
=> Also in view: {a}.
=> What makes it more interesting is {a} that shares the frame.
=> The scene would not be complete without {a}.
=> Along with the rest, the camera has caught {a}.
=> And yes, that's {a} you see there.
=> Among the things that can be made out is {a}.
=> There happens to be {a} in the shot.
=> {A} was captured by the camera, too.
=> Apart from this, {a} has its place in the image.
=> The picture has {a} in it.
=> Then there's {a}, of course.
=> Worth a mention is {a} that is also shown.
=> Sharing the scene is {a}.
=> {A} completes the picture.
=>* {A} is partly visible in the background.
=>* In the background, {a} can be made out.
=>* Further back, one can see {a}.
=>* In the foreground sits {a}.
=>* {A} can be seen near the edge of the frame.
=>* Right next to it there is {a}.
=>* A few steps away, there is {a}.
=>* Close by, somebody has left {a}.
=>* Off to one side is {a}.
=>* {A} is standing nearby.
=>* Toward the back, there appears to be {a}.
=>* Beside it, {a} waits quietly.
=>* Next to that, I see {a}.
=>* A closer look reveals {a} behind the main subject.
=>* {A}, somewhat out of focus, rounds off the scene.
=>* Two {xs} can be seen farther away.
=>* Some {xs} are scattered about.
=>* Several {xs} can be found in the background, which adds depth.
=>* There are {xs} in the distance.
=>* A couple of {xs} are also visible.
Is there {a} in this photo? => Yes, there is. ## No, there isn't.
Do you see {a} anywhere? => Yes, I can see {a}. ## No, I don't see {a}.
Can you find {a} here? => Yes, there is {a} in the picture. ## No, there's no {x} in the picture.
Does the image contain {a}? => Yes ## No
Is {a} present in the image? => Yes, {a} is present. ## No, no {x} is present.
Are there any {xs} in the scene? => Yes, {xs} are visible. ## No, there are no {xs}.
Are any {xs} visible? => Yes. ## No.
Would you say there's {a} in this shot? => Yes, I would say there is {a}. ## No, I can't find one.
Can {a} be seen? => Sure, {a} can be seen. ## I'm afraid there isn't any {x} to be seen.
I'm looking for {a}. Is it in this picture? => You're in luck, the picture has {a}. ## Sorry, there isn't one.
What else can be seen? => There's {a}, too.
Name one thing that is in the picture. => {A}.
What object catches the eye? => {A} does.
Tell me something that's in this picture. => Well, there is {a}.
Can you name an object in it? => One object is {a}.
Which object could one point out here? => One could point out {a}.
=> Interestingly, the scene also includes {a}, which adds to its charm.
=> Among the various elements of the image, {a} deserves a mention.
=> The image also features {a}, contributing to the overall atmosphere.
=>* Positioned a little farther away is {a}, which draws some attention as well.
=>* {A}, placed close to the center, can be noticed as well.
"""

# Denial of what is there; without ## the same words are true of something that is not there.
DENIED = """
=> There is no {x} in the picture.
=> No {x} can be seen.
=> There are no {xs} here.
=> {A} is nowhere to be seen.
=> The scene has no {x} in it.
=> The image doesn't contain {a}.
=> I can't see {a} anywhere.
=> I don't see any {xs} in this photo.
=> Notably, there isn't any {x} around.
=> Interestingly, no {x} is visible.
=> Not a single {x} appears in the image.
=> You won't find {a} in this shot.
=> There isn't {a} in sight.
=> One thing that's absent is {a}.
=> What is missing from the scene is {a}.
=> The picture was taken without {a} in view.
=> No {xs} are present.
=> At no point in the frame is there {a}.
=> There are not any {xs} visible.
=> The frame lacks {a}.
=> {A} isn't part of this scene.
=> Nowhere in the image is there {a}.
=> The photo does not show any {xs}.
=> {A} does not appear here.
=> As for {xs}, there are none.
=> The absence of {a} is easy to notice.
=> The photographer did not include {a}.
=> Neither in front nor at the back can {a} be seen.
=> It's worth saying that no {x} was captured here.
=> There's no sign of {a}.
=> There's no trace of any {x} in the picture.
=> Without {a} in the frame, other things get more attention.
=> Since there is no {x}, one's eye goes to the rest of the scene.
=> The scene is free of {xs}.
=> I looked, but I found no {x}.
=> {A} would be hard to find here, as there is none.
=> Zero {xs} are shown.
=> None of the things in the photo is {a}.
Is there {a} in the image? => No, there is no {x}. ## Yes, there is {a}.
Is there {a}? => No ## Yes
Do you see {a}? => No, I don't. ## Yes, I do.
Can you see any {xs} in the photo? => No, I can't see any. ## Yes, I can.
Are there {xs} in this picture? => No, there are none. ## Yes, there are.
Does the picture include {a}? => No, it does not. ## Yes, it does.
Is {a} visible? => No, there isn't any. ## Yes, it's visible.
Is {a} shown here? => No, there's none. ## Yes, that's right.
Could you check for {a}? => I checked, and there is no {x}. ## I checked, and there is {a}.
Does this scene have {a} in it? => No, it has no {x}. ## Yes, it has.
Any {xs} here? => Nope, no {xs}. ## Yep.
Is anything like {a} in the frame? => No, nothing like {a} is in the frame. ## Yes, {a} is in the frame.
Would I find {a} in this photo? => No, you wouldn't. ## Yes, you would.
Has the camera caught {a}? => No, {a} was not caught by the camera. ## Yes, {a} was caught by the camera.
Are any {xs} present? => None are present. ## Yes, they are.
Tell me whether there is {a}. => There is not. ## There is.
Please tell me if {a} can be seen. => {A} cannot be seen. ## {A} can be seen.
There is {a} in the photo, isn't there? => No, there isn't. ## Yes, there is.
Is it true that the photo has no {x}? => Yes, that's true, it has no {x}. ## No, that's not true; it does have {a}.
Do any {xs} appear? => No {xs} appear. ## Yes, {xs} do appear.
What is missing here? => {A} is missing.
Name something that can't be seen in the photo. => {A}.
Which object does the image not contain? => It doesn't contain {a}.
What would you not find in this scene? => You would not find {a}.
=> Despite what one might expect, there is no {x} anywhere in the scene.
=> The scene seems quiet, as no {x} can be found in it.
=> Interestingly enough, {a} is not among the things that the image shows.
"""
