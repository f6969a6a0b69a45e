"""The desk that goes by order alone: whoever sits down gets the next number. The control beside ours.

It is a kind one: test shots and double fires cost it nothing, and the crew counts anew with each class.
"""

from cli.drift.script import CLASS_SIZE, Script
from cli.drift.tally import Day, Wrong


def play(script: Script) -> Day:
    """The same day, without any look at a slip."""
    day = Day(script)
    numbers = [person for person in range(script.people) if person not in script.unregistered]
    place, school_class = 0, 0
    for at, sitting in enumerate(script.sittings):
        if sitting.chair // CLASS_SIZE > school_class:
            school_class = sitting.chair // CLASS_SIZE
            place = next((i for i, person in enumerate(numbers) if person // CLASS_SIZE >= school_class), len(numbers))
        if place == len(numbers):
            break
        day.photos += 1
        if numbers[place] != sitting.chair:
            noise = next((noise for noise in reversed(script.noises) if noise.begun <= at), None)
            day.wrong.append(Wrong(at, noise, 0))
        place += 1
    return day
