"""Codex's questions as durable rows: recorded when asked, delivered once, closed on Codex's word."""

from dataclasses import dataclass

from codex_control_plane_contract.codex import ANSWER_LOST
from codex_control_plane_contract.lifecycles import attempt, interaction, turn
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp import questions, sealing
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.worker import calls
from codex_control_plane_mcp.worker.turns import settle_waiting


@dataclass(frozen=True, slots=True)
class Recording:
    """The decision that makes a server request of Codex a durable interaction; safe to repeat."""

    asked: questions.Asked
    request_id: str
    generation: int
    approval_ms: int

    def __call__(self, transaction: Transaction, reader: Reader) -> bool:
        """Record the question; return False if its turn is none of ours, which others may answer."""
        row = self._turn(reader)
        if row is None:
            return False
        # Codex repeats a question under its id. One whose row has ended is a new question to us: somebody
        # still has to answer it.
        known = reader.interaction_by_request(self.request_id, self.generation)
        if known is not None:
            _ask_again(transaction, reader, known)
            return True
        times = reader.times_asked(self.request_id, self.generation)
        transaction.apply(
            interaction.ask(
                interaction_id=new_id(interaction.ID_PREFIX, transaction.now),
                operation_id=row.operation_id,
                turn_id=row.turn_id,
                thread_id=row.thread_id,
                item_id=_text(self.asked.params, "itemId"),
                identity=f"{self.request_id}#{times}",
                request_id=self.request_id,
                app_server_generation=self.generation,
                method=self.asked.method,
                kind=self.asked.kind,
                params=self.asked.params,
                changes=self.asked.changes,
                prompt=questions.prompt(self.asked),
                deadline_at=transaction.now + self.approval_ms,
            ),
            evidence=self.asked.method,
        )
        settle_waiting(transaction, reader, row.turn_id, evidence=self.asked.method)
        return True

    def _turn(self, reader: Reader) -> turn.Active | None:
        turn_id, thread_id = _text(self.asked.params, "turnId"), _text(self.asked.params, "threadId")
        for row in reader.active_turns():
            # An elicitation may come without a turn; a thread runs one turn at a time.
            if row.turn_id == turn_id or (turn_id is None and row.thread_id == thread_id):
                return row
        return None


def resolve(transaction: Transaction, reader: Reader, row: interaction.Interaction, *, evidence: str) -> None:
    """Close a question that Codex no longer asks: by our answer if we sent one, else by somebody else's."""
    calling = reader.open_attempt_of(row.interaction_id, "interaction_answer")
    if isinstance(calling, attempt.Prepared):
        transaction.apply(calling.void(evidence="closed before our answer was sent"), by="worker")
    ours = isinstance(calling, attempt.Sent | attempt.Unknown)
    if isinstance(calling, attempt.Sent | attempt.Unknown):
        transaction.apply(calling.accept(evidence=evidence), evidence=evidence)
    if isinstance(row, interaction.Delivering) and ours:
        transaction.apply(row.confirm(response=sealing.spent(row.response)), evidence=evidence)
    elif isinstance(row, interaction.Open):
        transaction.apply(
            row.expire(reason="Codex closed the question without our answer."), evidence=evidence
        )
    settle_waiting(transaction, reader, row.turn_id, evidence=evidence)


def orphan(transaction: Transaction, reader: Reader, row: interaction.Interaction) -> None:
    """Close a question whose app-server is gone: no answer can reach it any more."""
    evidence = "another app-server generation"
    calls.void_open(transaction, reader, row.interaction_id, "interaction_answer", evidence)
    if isinstance(row, interaction.Open):
        reason = f"The app-server that asked has died, and turn {row.turn_id} with it."
        transaction.apply(row.orphan(reason=reason), evidence=evidence)


def close_delivering(transaction: Transaction, reader: Reader, turn_id: str, *, evidence: str) -> None:
    """Close the questions of a turn that is over whose answer is on its way: nothing will confirm it."""
    for row in reader.open_interactions(turn_id):
        if isinstance(row, interaction.Delivering):
            resolve(transaction, reader, row, evidence=evidence)


def close_leftovers(transaction: Transaction, reader: Reader, generation: int) -> None:
    """Close the questions whose turn has ended before Codex could say what became of our answer."""
    for row in reader.open_interactions():
        carried = reader.turn(row.turn_id)
        if isinstance(carried, turn.Active):
            continue
        if row.app_server_generation == generation:
            resolve(transaction, reader, row, evidence="its turn has ended")
        else:
            orphan(transaction, reader, row)


def lapse(transaction: Transaction, row: interaction.Pending) -> None:
    """Decline a question whose deadline has passed."""
    transaction.apply(
        row.lapse(
            response=questions.refusal(questions.asked_of(row)), reason="Nobody answered by the deadline."
        ),
        evidence="the deadline",
    )


def _ask_again(transaction: Transaction, reader: Reader, row: interaction.Interaction) -> None:
    """Codex repeats a question after a reconnect: the answer that we may have sent did not count."""
    calls.void_open(transaction, reader, row.interaction_id, "interaction_answer", ANSWER_LOST.absent_means)


def _text(params: JsonObject, name: str) -> str | None:
    value = params.get(name)
    return value if isinstance(value, str) else None
