"""Sentence frames for counts, sides and colours; read planted_frames.py for how a line is made.

Counts: {n} the number, {d} in digits, {x} the noun bent for it, {xs} always plural, {are} and {s} agree with it.
Sides: {side} left or right; lines with {y} tell the place beside another thing. Colours: {c}.
"""

COUNTS = """
How many {xs} are there? => {N}.
How many {xs} can you see? => {D}
How many {xs} are in the picture? => There {are} {n} {x} in the picture.
How many {xs} does the image show? => It shows {n}.
How many {xs} are visible? => {N} {x}.
What is the number of {xs}? => The number of {xs} is {d}.
Can you count the {xs}? => I can count {n} of them.
Count the {xs} for me, please. => Sure! I count {d} {x}.
How many {xs} do you see here? => I see {n}.
How many {xs} are present? => {D} {x}
Could you tell me how many {xs} there are? => Of course, there {are} {n}.
How many {xs} appear in the scene? => {N} {x} appear{s} in the scene.
What's the total number of {xs}? => In total, there {are} {d}.
How many {xs} are shown? => {N} {are} shown.
How many {xs} would you say are in the photo? => I'd say {n}.
How many {xs} has the camera caught? => {N} {x} {were} caught by the camera.
Do you know how many {xs} are in the frame? => Yes, {n} {x}.
Is it possible to tell the number of {xs}? => Yes. One can clearly make out {n} {x}.
How many {xs} in total? => {N} in total.
Give the number of {xs} as a digit. => {D}
=> There {are} {n} {x} in the image.
=> There {are} {n} {x} in total.
=> In total, {n} {x} can be seen.
=> Altogether there {are} {n} {x}.
=> I count {n} {x} here.
=> One can count {n} {x}.
=> {N} {x} {are} visible in the photo.
=> {N} {x} can be made out.
=> The picture contains {n} {x}.
=> The photo shows {n} {x}.
=> We can see {n} {x} in this scene.
=> Exactly {n} {x} {are} present.
=> All in all, {n} {x} make{s} up the scene.
=> The scene includes {n} {x}.
=> Altogether, the camera has caught {d} {x}.
=> {N} {x} {are} shown.
=> In the frame {are} {n} {x}.
=> You can spot {n} {x} in it.
=> The number of {xs} is {d}.
=> As for {xs}, there {are} {n} of them.
=> If you count the {xs}, you get to {n}.
=> A count of the {xs} gives {d}.
=> {N} {x} share{s} the frame.
=> What we see {are} {n} {x}.
=> The {xs} number {n}.
=> A total of {n} {x} can be seen.
=> Present in the image {are} {n} {x}.
=> The image features {n} {x}, which {are} easy to see.
=> Here we have {n} {x}.
=> It's a picture with {n} {x}.
=> There {are} {n} {x} that can be seen.
=> Overall, I can make out {n} {x} in the shot.
=> Captured in the photo {are} {n} {x}.
=> With {n} {x} in view, there is enough to look at.
=> The image is made up of {n} {x} and what surrounds {them}.
=> {N} {x} {are} the center of attention.
=> The attention goes to {n} {x}.
=> The main subject: {n} {x}.
=> Among what is visible, there {are} {d} {x}.
=> A viewer will find {n} {x} in the picture.
=> {N} {x} {have} been photographed.
=> Looking at the picture, I'd count {n} {x}.
=> The presence of {n} {x} gives the scene its character.
=> {N} {x}, all told, can be found here.
=> Dominating the scene {are} {n} {x}, which {are} hard to overlook.
=> The composition consists of {n} {x}, caught by the photographer in one frame.
=> Upon closer inspection, {n} {x} can be identified in the image.
=> Depicted here {are} {n} {x}.
=> If I'm not mistaken, that makes {n} {x}.
=> There {are} a total of {n} {x} present in the scene.
=> You can clearly see {n} {x} if you look at the photo.
"""

SIDES = """
Which side is the {x} on? => On the {side}.
Which side of the image is the {x} on? => The {side} side.
Where is the {x}? => It's on the {side} side of the picture.
Where can the {x} be found? => The {x} can be found on the {side}.
Is the {x} on the left or on the right? => {Side}
Is the {x} on the left or the right side? => It's on the {side}.
Where in the frame is the {x}? => In the {side} half of the frame.
Where would I look for the {x}? => Look to the {side} side of the photo.
In which half of the picture is the {x}? => The {x} is in the {side} half.
Could you tell me the position of the {x}? => Sure, it is toward the {side} of the image.
Where is the {x} located? => The {x} is located on the {side}-hand side.
Where does the {x} appear? => It appears on the {side}.
What's the position of the {x}? => {Side} side of the photo.
What is on the {side} side of the picture? => {A} is.
What do you see on the {side}? => On the {side} I see {a}.
On which side does the {x} appear? => On the {side}-hand side.
Where's the {x}? => Over on the {side}.
Where is the {x} in relation to the {y}? => The {x} is to the {side} of the {y}.
Is the {x} to the left or to the right of the {y}? => To the {side}.
Where is the {x} compared with the {y}? => It's to the {side} of the {y}.
Where do I find the {x}? => {Side} of the {y}.
=> The {x} is on the {side} side of the image.
=> The {x} is on the {side}.
=> On the {side} side of the picture, there is {a}.
=> On the {side}-hand side of the frame, {a} can be seen.
=> On the {side}, you can see {a}.
=> {A} is located on the {side} side of the photo.
=> {A} can be found toward the {side} of the frame.
=> To the {side} of the image is {a}.
=> The {side} half of the picture holds {a}.
=> In the {side} half of the image, one can make out {a}.
=> The {x} is placed in the {side} half of the frame.
=> Toward the {side} edge, there is {a}.
=> Over on the {side} we find {a}.
=> Positioned on the {side} is {a}.
=> The {x}, which is on the {side} side, is easy to spot.
=> The {x} that can be seen here is on the {side}.
=> {A} occupies the {side} part of the frame.
=> The {side} part of the photo is taken up by {a}.
=> The {x} has been placed on the {side} by the photographer.
=> If you look to the {side}, you will see {a}.
=> Looking to the {side} side, one notices {a}.
=> The {x} sits on the {side} side of the composition.
=> {A} is visible off to the {side}.
=> There's {a} on the {side}.
=> There is {a} over to the {side} of the picture.
=> The {x} can be seen at the {side} of the photo.
=> The {x} appears to the {side} of center.
=> {A} fills part of the {side} side.
=> The {side} side of the frame shows {a}.
=> What you see on the {side}-hand side is {a}.
=> One's eye is led to the {side}, where {a} can be seen.
=> The composition is weighted to the {side} by the {x} there.
=> Shown on the {side} is {a}.
=> The {x} was caught in the {side} portion of the frame.
=> Farther to the {side}, there is {a}.
=> The {x} isn't in the middle but on the {side}.
=> The {x} is to the {side} of the {y}.
=> To the {side} of the {y}, there is {a}.
=> {A} can be seen to the {side} of the {y}.
=> From the viewer's side, the {x} is {side} of the {y}.
=> {Side} of the {y} we find the {x}.
=> The {x} is positioned to the {side} of the {y}.
=> The {x} can be found in the {vert} {side} corner of the image.
=> In the {vert} {side} of the frame there is {a}.
=> {A} can be spotted in the {vert} {side}-hand part of the photo.
=> At the {vert} {side} of the picture, {a} is visible.
Where is the {x}? => In the {vert} {side} part.
=> The {x} is on the {side}, while the {z} is on the {far}.
=> On the {side} there is {a}, and on the {far} one can see the {z}.
=> {A} is positioned on the {side} side of the scene, whereas the {z} takes the {far} side.
Where are the {x} and the {z}? => The {x} is on the {side} and the {z} on the {far}.
=> Situated on the {side} side of the image, the {x} adds balance to the composition.
=> The {x}, situated toward the {side}, is one of the first things that a viewer notices.
"""

COLOURS = """
What color is the {x}? => {C}
What color is the {x}? => It's {c}.
What colour is the {x}? => The {x} is {c}.
What is the color of the {x}? => {C}.
What is the colour of the {x}? => The color is {c}.
Can you tell me the color of the {x}? => Sure, it's {c}.
Which color does the {x} have? => The {x} has a {c} color.
Is there {a} in the picture? => Yes, there is {ac}.
What color would you say the {x} is? => I would say it is {c}.
Describe the {x}. => The {x} is {c}.
What does the {x} look like? => It is {c} in color.
What color can be seen on the {x}? => {C} can be seen.
In what color is the {x} shown? => In {c}.
How would you describe the color of the {x}? => As {c}.
Tell me about the {x}. => Well, it's {c}.
What kind of {x} is it? => {Ac}.
What do you notice about the {x}? => It's the color: the {x} is {c}.
Do you know the color of the {x}? => Yes, {c}.
Could you name the color of the {x}? => Of course! The {x} is {c}.
Name the color of the {x}. => {C}
=> The {x} is {c}.
=> The {x} in the picture is {c}.
=> The {c} {x} is easy to spot.
=> There is {ac} in the image.
=> {Ac} can be seen.
=> I can see {ac}.
=> One can make out {ac}.
=> The {x} is {c} in color.
=> The color of the {x} is {c}.
=> The {x} that we see is {c}.
=> The {x}, which is {c}, is clearly visible.
=> The {x} has a {c} color.
=> The {c} color of the {x} stands out.
=> The {c} {x} gives the scene a touch of color.
=> The photo shows {ac}.
=> The image features {ac}.
=> We also see {ac}.
=> Among other things, there is {ac}.
=> As for colors, the {x} is {c}.
=> With its {c} color, the {x} catches the eye.
=> What catches the eye is the {c} {x}.
=> The eye is drawn to the {c} {x}.
=> The {c} of the {x} can't be missed.
=> The {x} comes in {c}.
=> A viewer would notice the {c} {x}.
=> The {x} shown here happens to be {c}.
=> In terms of color, the {x} is {c}.
=> Visible in the frame is {ac}.
=> Note the {c} {x}.
=> Pay attention to the {c} {x}.
=> The {x} appears to be {c}.
=> The {x} looks {c}.
=> The {c} {x} is part of what makes the picture.
=> The presence of {ac} adds interest.
=> {Ac} was captured by the camera.
=> {Ac}, clearly visible, belongs to the scene.
=> Somewhere in the frame is {ac}.
=> In this photo, the {x} is {c}.
=> The {c} {x} contributes to the mood of the photo.
=> Also worth a look is the {c} {x}.
=> It has {ac} in it.
=> The image features {ac}, which immediately draws the viewer's attention.
=> Another noticeable element is the {x}, whose color is {c}.
=> The {x} stands out because it's {c}.
=> It should be said that the {x} is {c}.
=> The {x} in question is {c}, as far as one can tell.
=> What we see is {ac}, captured in the light of the moment.
Is the {x} {c_true} or {c_false}? => It is {c}.
Is the {x} {c_false} or {c_true}? => {C}
"""

ASK_DETAIL = """
Describe the image in detail.
Please describe this picture.
Can you give me a detailed description of the photo?
What is happening in this image? Describe it as fully as you can.
Write a paragraph about this picture.
Explain what you see here.
Describe the following image.
Give a full account of the scene.
Walk me through the picture.
What would you tell a blind person about this photo?
Could you describe the contents of this image for me?
Provide a thorough description of what is shown.
I can't open the attachment. What's in it?
Tell me everything you notice.
Please write alt text for this image, in a few sentences.
Paint a picture with words: what does this image show?
Analyze the image thoroughly.
What are the main elements of this image, and where are they?
Give me as many details of the picture as you can.
How would you describe this photo to a friend on the phone?
"""

ASK_SHORT = """
What do you see?
What is in this image?
What's shown here?
Can you tell me what the picture shows?
What is going on in the photo?
What can you say about the image?
Describe the photo in a sentence.
What is this a picture of?
What's in the photo?
Give me a short caption.
Summarize the picture.
What does the image show?
What do we have here?
Tell me one thing about this photo.
Anything worth noticing here?
What can be observed in this image?
What does the picture depict?
Say something about this image.
what is this
Can you describe this image briefly?
"""

ASK_REASON = """
What could be the story behind this picture?
Why might someone have taken this photo?
What can one conclude from this scene?
What does this image suggest about the situation?
What mood does the scene convey, and why?
How might one interpret this picture?
What makes this picture interesting?
What can be inferred from what is shown?
What might happen next in this scene?
What challenges might come up in this situation?
Why could this moment be memorable?
What might the people who took this photo have wanted to show?
How does the setting relate to what is happening?
What can we learn from this image?
What kind of occasion could this be?
What would be a good use for this photo?
What should one pay attention to in a place like this?
Which feelings might this picture evoke in a viewer?
What could be the purpose of this photograph?
"""

REASONS = """
It is likely that the picture was taken to remember an ordinary moment.
All this suggests that the scene is a fairly usual one.
Taken together, these details give the picture a calm and natural mood.
That would explain why the photo was taken in the first place.
The picture could therefore serve as an example of daily life.
One may suppose that the moment was worth keeping.
So it seems to be a scene that could be met with anywhere.
These details hint at a moment that was not arranged for the camera.
This suggests that whoever took the picture found the moment appealing.
Because of that, the picture may evoke curiosity in those who look at it.
For these reasons, it would work well in a travel blog or in a family album.
In such a situation, patience and attention to one's surroundings are generally useful.
It might also tell us something about everyday habits, though one should be careful with conclusions.
What happens next cannot be known for sure, but nothing hints at a sudden change.
As a result, viewers may feel invited to imagine what came before and after.
Of course, this is only one possible reading, and others may see it differently.
It is possible that the photo was meant as a memory of the day.
Whatever the reason, the choice of motif seems deliberate.
The combination of these elements gives the photograph a certain charm.
Therefore, one could say that it documents a small but telling moment.
"""
