from statistics import mean

from instructgen.draws import draw_fraction, make_generator

GOLDEN_DRAWS = [931, 82, 349, 98]
GOLDEN_FRACTION = 0.7676806469753568


def test_draws_are_the_same_on_every_machine_and_in_every_process() -> None:
    generator = make_generator(0, "parse", "coco/000000000139/detail")
    assert [generator.randrange(1000) for _ in range(4)] == GOLDEN_DRAWS
    assert draw_fraction(0, "split", "coco/000000000139") == GOLDEN_FRACTION


def test_seed_stage_and_record_each_change_the_draw() -> None:
    keys = [(0, "a", "x"), (1, "a", "x"), (0, "b", "x"), (0, "a", "y")]
    assert len({make_generator(*key).random() for key in keys}) == 4
    assert len({draw_fraction(*key) for key in keys}) == 4


def test_fractions_are_spread_evenly() -> None:
    drawn = [draw_fraction(0, "split", f"coco/{number:012d}") for number in range(10_000)]
    assert 0 <= min(drawn) < 0.001
    assert 0.999 < max(drawn) < 1
    assert abs(mean(drawn) - 0.5) < 0.01
    assert abs(mean(value < 0.05 for value in drawn) - 0.05) < 0.01
