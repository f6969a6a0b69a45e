"""The row of the hub that several desks of a hall share."""

from cli.faults.matrix import Fault

ROWS = (
    Fault(
        name="hub-lost",
        zh="枢纽台丢失",
        en="hub lost",
        simulator="–",
        code="–",
        metric="–",
        alert="–",
        control="–",
    ),
)
