"""What people of a role may do, where it is not the usual."""

from __future__ import annotations

from crm_core.model.definitions import RoleBody, Section
from crm_core.services.configuration.naming import check_role
from hub.http.api.office.definitions import SectionOperations
from hub.http.operations import Operation
from hub.http.rights import Right

ROLES = SectionOperations(
    Section.ROLE,
    "/roles",
    RoleBody,
    "RoleRights",
    "what a role may do",
    "what roles may do, where it is not the usual",
    keep=Right.KEEP_STAFF,
    check=lambda _desk, name, _body: check_role(name),
)

OPERATIONS: tuple[Operation, ...] = ROLES.operations()
