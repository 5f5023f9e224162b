"""An edit asks what it touches and nothing else: images, prompt, model, decoding."""

import shutil

from instructgen.resources import shared_folder
from tests.faults.engine import Engine

NUM_IMAGES = 12


def test_each_edit_asks_just_what_it_touches(engine: Engine) -> None:
    engine.set_num_images(NUM_IMAGES)
    server = engine.serve()
    engine.run("--types", "conv,detail")
    assert engine.num_requests() == 2 * NUM_IMAGES
    assert len(server.asked) == 2 * NUM_IMAGES

    engine.set_num_images(NUM_IMAGES + 1)
    engine.run("--types", "conv,detail")
    assert engine.num_requests(life=1) == 2

    prompts = engine.folder / "prompts"
    shutil.copytree(shared_folder("prompts"), prompts)
    system = prompts / "detail" / "system.j2"
    system.write_text(system.read_text() + "\nWrite in the present tense.\n")
    toml = f"[teacher]\nprompts = '{prompts}'\n"
    engine.run("--types", "conv,detail", toml=toml)
    assert engine.num_requests(life=2) == NUM_IMAGES + 1
    assert all("present tense" in body["messages"][0]["content"] for body in server.bodies[-NUM_IMAGES - 1 :])

    engine.run("--types", "conv,detail", "--model", "other", toml=toml)
    assert engine.num_requests(life=3) == 2 * (NUM_IMAGES + 1)

    cooler = engine.run("--types", "conv,detail", toml=toml + "[teacher.decoding]\ntemperature = 0.1\n")
    assert engine.num_requests(life=4) == 2 * (NUM_IMAGES + 1)
    assert cooler.code == 0, cooler.err[-500:]
    assert server.num_requests == 2 * NUM_IMAGES + 2 + 5 * (NUM_IMAGES + 1)
