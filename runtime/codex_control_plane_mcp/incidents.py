"""Faults of ours: each has an id, under which the log holds what the error does not tell (contract §6)."""

import logging
import secrets

from codex_control_plane_contract.errors import InternalError

_log = logging.getLogger(__name__)


def report_incident(place: str, advice: str) -> InternalError:
    """Log the exception that is being handled under a new incident id; return the error that names the id."""
    incident = f"inc_{secrets.token_hex(6)}"
    _log.exception("incident %s in %s", incident, place)
    return InternalError(f"A fault of ours, logged as {incident}. {advice}", incidentId=incident)
