"""Cells of the doctor: every scenario that it must see through, and the way to its judgement."""

import time
from collections.abc import Iterator

from cells import Cell, Lab, Met, Outcome, Run
from patients import Patient, Scenario, Stage
from ringlight.doctor.checkup import examine
from ringlight.faults import FAULTS
from scenarios import ALL
from service_scenarios import SERVICES


def doctor_sees(scenario: Scenario) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with scenario.setting(Stage(lab.folder, lab.patch, lab.coturn)) as patient:
            return await examined(patient)

    return run


async def examined(patient: Patient) -> Outcome:
    """Let the doctor look, and return what it names first."""
    began = time.monotonic()
    report = await examine(patient.settings, patient.targets, asked=patient.asked, budget=60.0)
    first = report.verdict.first
    if first is None or first.code is None:
        return Outcome(None, "Nothing is wrong as far as this can be seen from here.", time.monotonic() - began)
    said = f"{first.code}: {FAULTS[first.code].title}. Seen: {first.seen}"
    return Outcome(first.code, said, time.monotonic() - began)


def doctor_cells() -> Iterator[Cell]:
    for scenario in ALL:
        if scenario not in SERVICES:  # these are among the cells of the stores
            yield Cell(scenario.code, Met.DOCTOR, scenario.cause, doctor_sees(scenario))
