"""What the hospital's pages list and edit: subjects by name, whose functions are those of appliance/hospital/registry."""

from collections.abc import Mapping

from webui.subjects.people import DEPARTMENTS, DOCTORS, STAFF, VIPS
from webui.subjects.subject import Subject
from webui.subjects.told import DRUGS, NOTICES

__all__ = ["SUBJECTS", "Subject"]

SUBJECTS: Mapping[str, Subject] = {subject.name: subject for subject in (DEPARTMENTS, STAFF, DOCTORS, DRUGS, NOTICES, VIPS)}
