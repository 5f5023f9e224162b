from tests.mutants import MUTANTS, ROOT


def test_every_planted_fault_still_fits_the_code() -> None:
    for mutant in MUTANTS:
        code = (ROOT / mutant.file).read_text(encoding="utf-8")
        assert code.count(mutant.right) == 1, mutant.name
        assert mutant.right != mutant.wrong
        compile(code.replace(mutant.right, mutant.wrong), mutant.name, "exec")


def test_there_are_at_least_fifteen_faults_with_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 15
