"""Random rows as JSON."""

import json


def ids(lines):
    return [json.loads(line)["id"] for line in lines]


def test_cat_prints_a_sample(cli, path):
    lines = cli.good("cat", "--sample", 5, "--seed", 1, "-c", "id", path)
    assert len(set(ids(lines))) == 5
    assert ids(lines) == sorted(ids(lines))
    assert lines == cli.good("cat", "--sample", 5, "--seed", 1, "-c", "id", path)
    assert lines != cli.good("cat", "--sample", 5, "--seed", 2, "-c", "id", path)


def test_a_sample_has_the_rows_that_sample_shows(cli, path):
    shown = cli.good("sample", "-n", 5, "--seed", 1, "-c", "id", path)[5:-2]
    assert ids(cli.good("cat", "--sample", 5, "--seed", 1, path)) == [int(line.strip("│ ")) for line in shown]


def test_other_options_choose_the_rows_of_which_a_sample_is_taken(cli, path):
    assert ids(cli.good("cat", "--sample", 9, "--offset", 10, "-n", 3, path)) == [10, 11, 12]
    assert ids(cli.good("cat", "--sample", 9, "--where", "id < 2", path)) == [0, 1]
    assert cli.good("cat", "--sample", 0, path) == []


def test_a_seed_alone_is_wrong(cli, path):
    ended = cli("cat", "--seed", 1, path)
    assert ended.status == 2
    assert "--seed needs --sample" in ended.err
