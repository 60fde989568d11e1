"""The one table of compatibility: from kind of element, change and reader to a verdict.

A reader that a kind does not list never meets it; a change that a kind does not list cannot happen to it.
Every cell is shown by a pair of contracts in tests/unit/comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codex_control_plane_codegen.comparison.verdicts import Kind, additive, breaking, risky

_TOOLS: Final[Mapping[str, Kind]] = {
    "text": Kind(
        "What a person or a model reads: title, description, instructions, an error's sentences.",
        ("callers",),
        {"changed": {"callers": additive("It reads otherwise; what it describes is compared by itself.")}},
    ),
    "tool": Kind(
        "A tool.",
        ("callers",),
        {
            "added": {"callers": additive("Nobody calls it yet.")},
            "removed": {"callers": breaking("Calls of it are refused.")},
        },
    ),
    "hint": Kind(
        "A promise of what calling a tool may do: the four hints of MCP, and `passive`.",
        ("callers",),
        {
            "narrowed": {"callers": additive("It does less than clients are prepared for.")},
            "widened": {
                "callers": breaking("Clients call it, or repeat it, without the care that it needs now.")
            },
        },
    ),
    "idempotency": Kind(
        "What makes repeating a call safe.",
        ("callers",),
        {"changed": {"callers": breaking("Clients repeat a lost call by the rule that they know.")}},
    ),
    "tool group": Kind(
        "The group of a tool, which says how far it may be relied on.",
        ("callers",),
        {"changed": {"callers": risky("It may be relied on more, or less, than before.")}},
    ),
    "tool error": Kind(
        "An error code that a tool may answer.",
        ("callers",),
        {
            "added": {"callers": risky("Clients meet a code that they do not handle for this tool.")},
            "removed": {"callers": additive("It is not answered any more.")},
        },
    ),
    "next tool": Kind(
        "A tool that is recommended after another one.",
        ("callers",),
        {
            "added": {"callers": additive("One more recommendation.")},
            "removed": {"callers": additive("One recommendation less; the tool is compared by itself.")},
        },
    ),
    "error": Kind(
        "An error code, answered by tools or stored in rows.",
        ("callers", "rows"),
        {
            "added": {
                "callers": additive("Which tools answer it is compared by itself."),
                "rows": additive("No row holds it yet."),
            },
            "removed": {
                "callers": additive("Which tools answered it is compared by itself."),
                "rows": breaking("Rows that hold it as their error can no longer be shown."),
            },
        },
    ),
    "error retryability": Kind(
        "Whether asking again can cure an error.",
        ("callers",),
        {"changed": {"callers": risky("Clients give up, or try again, where they did the opposite.")}},
    ),
    "finding": Kind(
        "A finding of the health summary and its severity; its id is a word of the result.",
        ("callers",),
        {
            "added": {"callers": additive("One more thing that health may say.")},
            "removed": {"callers": risky("An alert that waits for it never fires again.")},
            "changed": {"callers": risky("An alert by severity fires, or stays silent, where it did not.")},
        },
    ),
}

_INPUTS: Final[Mapping[str, Kind]] = {
    "input field": Kind(
        "An argument, a field of one, or what a list holds.",
        ("callers",),
        {
            "added": {"callers": additive("Calls may leave it out; a demand for it is compared by itself.")},
            "removed": {"callers": breaking("Calls that give it are refused.")},
        },
    ),
    "input requirement": Kind(
        "That a field must be given.",
        ("callers",),
        {
            "added": {"callers": breaking("Calls that leave it out are refused.")},
            "removed": {"callers": additive("Calls that give it go on as before.")},
        },
    ),
    "input type": Kind(
        "The JSON types that a value may have.",
        ("callers",),
        {
            "narrowed": {"callers": breaking("Calls with a value of a type that is gone are refused.")},
            "widened": {"callers": additive("What was accepted still is.")},
            "changed": {"callers": breaking("Calls with a value of the earlier type are refused.")},
        },
    ),
    "input choice": Kind(
        "That a value must be one of a few words.",
        ("callers",),
        {
            "added": {"callers": breaking("Calls with any other value are refused.")},
            "removed": {"callers": additive("What was accepted still is.")},
        },
    ),
    "input word": Kind(
        "One of the words that a value may be.",
        ("callers",),
        {
            "added": {"callers": additive("One more value is accepted.")},
            "removed": {"callers": breaking("Calls with it are refused.")},
        },
    ),
    "input bound": Kind(
        "A limit of a value: its size, its length, its form.",
        ("callers",),
        {
            "added": {"callers": breaking("Calls beyond it are refused, where nothing was.")},
            "removed": {"callers": additive("What was accepted still is.")},
            "narrowed": {"callers": breaking("Calls between the old and the new limit are refused.")},
            "widened": {"callers": additive("What was accepted still is.")},
            "changed": {
                "callers": breaking("Two forms cannot be compared; what fitted the old one may be refused.")
            },
        },
    ),
    "input default": Kind(
        "What a field means that is left out.",
        ("callers",),
        {
            "added": {"callers": risky("Calls that leave the field out now mean this value.")},
            "removed": {"callers": risky("Calls that leave the field out mean something else.")},
            "changed": {"callers": risky("Calls that leave the field out mean something else.")},
        },
    ),
    "input openness": Kind(
        "Whether an object may hold fields that are not declared.",
        ("callers",),
        {
            "narrowed": {"callers": breaking("Calls with other fields are refused.")},
            "widened": {"callers": additive("What was accepted still is.")},
        },
    ),
}

_RESULTS: Final[Mapping[str, Kind]] = {
    "result field": Kind(
        "A field of a result, or what a list holds.",
        ("callers",),
        {
            "added": {"callers": additive("Clients pass over what they do not know.")},
            "removed": {"callers": breaking("Clients that read it find nothing.")},
        },
    ),
    "result guarantee": Kind(
        "That a field is always there.",
        ("callers",),
        {
            "added": {"callers": additive("Clients that check for it always find it.")},
            "removed": {"callers": breaking("Clients that rely on it may find nothing.")},
        },
    ),
    "result type": Kind(
        "The JSON types that a value may have.",
        ("callers",),
        {
            "narrowed": {"callers": additive("What clients are prepared for is more than what comes.")},
            "widened": {"callers": breaking("Clients meet a type that they cannot read.")},
            "changed": {"callers": breaking("Clients meet a type that they cannot read.")},
        },
    ),
    "result choice": Kind(
        "That a value is one of a few words.",
        ("callers",),
        {
            "added": {"callers": additive("Fewer values come than clients are prepared for.")},
            "removed": {"callers": risky("Clients meet values that no list names.")},
        },
    ),
    "result word": Kind(
        "One of the words that a value may be, such as a status.",
        ("callers",),
        {
            "added": {
                "callers": risky("Clients meet a word that they do not know, and may not wait or act on it.")
            },
            "removed": {"callers": risky("Clients that wait for it wait for ever.")},
        },
    ),
    "result bound": Kind(
        "A limit of a value: its size, its length, its form.",
        ("callers",),
        {
            "added": {"callers": additive("Less comes than clients are prepared for.")},
            "removed": {"callers": risky("Clients meet values beyond what they are prepared for.")},
            "narrowed": {"callers": additive("Less comes than clients are prepared for.")},
            "widened": {"callers": risky("Clients meet values beyond what they are prepared for.")},
            "changed": {"callers": breaking("Clients that read the old form meet another one.")},
        },
    ),
    "result openness": Kind(
        "Whether an object may hold fields that are not declared.",
        ("callers",),
        {
            "narrowed": {"callers": risky("Fields that clients found beside the declared ones are gone.")},
            "widened": {"callers": additive("Clients pass over what they do not know.")},
        },
    ),
}

_STORED_JSON: Final[Mapping[str, Kind]] = {
    "stored shape": Kind(
        "A type that columns hold as JSON.",
        ("rows", "work"),
        {
            "added": {
                "rows": additive("Which columns hold it is compared by itself."),
                "work": additive("Which columns hold it is compared by itself."),
            },
            "removed": {
                "rows": additive("Which columns held it is compared by itself."),
                "work": additive("Which columns held it is compared by itself."),
            },
        },
    ),
    "stored field": Kind(
        "A field of a value that a row holds as JSON, or what a list holds.",
        ("rows", "work"),
        {
            "added": {
                "rows": additive("Old rows lack it; a demand for it is compared by itself."),
                "work": risky("An older worker meets a field that its shape does not have."),
            },
            "removed": {
                "rows": breaking("Old rows hold a field that the shape does not allow."),
                "work": risky("An older worker still writes it."),
            },
        },
    ),
    "stored guarantee": Kind(
        "That a field of stored JSON is always there.",
        ("rows", "work"),
        {
            "added": {
                "rows": breaking("Old rows may lack the field."),
                "work": breaking("An older worker still writes rows without it."),
            },
            "removed": {
                "rows": additive("Old rows that hold the field still fit."),
                "work": breaking("An older worker relies on a field that newer rows may lack."),
            },
        },
    ),
    "stored type": Kind(
        "The JSON types that a stored value may have.",
        ("rows", "work"),
        {
            "narrowed": {
                "rows": breaking("Old rows may hold a type that is gone."),
                "work": breaking("An older worker still writes the type that is gone."),
            },
            "widened": {
                "rows": additive("Old rows still fit."),
                "work": risky("An older worker meets a type that it cannot read."),
            },
            "changed": {
                "rows": breaking("Old rows hold the earlier type."),
                "work": breaking("Old and new workers cannot read each other's rows."),
            },
        },
    ),
    "stored choice": Kind(
        "That a stored value is one of a few words.",
        ("rows", "work"),
        {
            "added": {
                "rows": breaking("Old rows may hold any other value."),
                "work": breaking("An older worker still writes any other value."),
            },
            "removed": {
                "rows": additive("Old rows still fit."),
                "work": risky("An older worker meets values that no list names."),
            },
        },
    ),
    "stored word": Kind(
        "One of the words that a stored value may be.",
        ("rows", "work"),
        {
            "added": {
                "rows": additive("No row holds it yet."),
                "work": risky("An older worker meets a word that it does not know."),
            },
            "removed": {
                "rows": breaking("Rows that hold it no longer fit."),
                "work": breaking("An older worker still writes it."),
            },
        },
    ),
    "stored bound": Kind(
        "A limit of a stored value.",
        ("rows", "work"),
        {
            "added": {
                "rows": breaking("Old rows may lie beyond it."),
                "work": risky("An older worker may still write beyond it."),
            },
            "removed": {
                "rows": additive("Old rows still fit."),
                "work": risky("An older worker meets values beyond what it knows."),
            },
            "narrowed": {
                "rows": breaking("Old rows may lie between the old and the new limit."),
                "work": risky("An older worker may still write beyond it."),
            },
            "widened": {
                "rows": additive("Old rows still fit."),
                "work": risky("An older worker meets values beyond what it knows."),
            },
            "changed": {
                "rows": breaking("Old rows have the earlier form."),
                "work": risky("Old and new workers write two forms."),
            },
        },
    ),
    "stored openness": Kind(
        "Whether a stored object may hold fields that are not declared.",
        ("rows", "work"),
        {
            "narrowed": {
                "rows": breaking("Old rows may hold fields that the shape does not allow."),
                "work": risky("An older worker may still write them."),
            },
            "widened": {
                "rows": additive("Old rows still fit."),
                "work": risky("An older worker meets fields that its shape does not have."),
            },
        },
    ),
}

_SETTINGS: Final[Mapping[str, Kind]] = {
    "setting": Kind(
        "An environment variable.",
        ("callers",),
        {
            "added": {"callers": additive("Unset, it means its default, or nothing.")},
            "removed": {"callers": breaking("Whoever sets it is not heard any more.")},
        },
    ),
    "setting type": Kind(
        "How a setting is read.",
        ("callers",),
        {"changed": {"callers": breaking("Values that are set are refused, or mean something else.")}},
    ),
    "setting word": Kind(
        "One of the words that a setting may be.",
        ("callers",),
        {
            "added": {"callers": additive("One more value is accepted.")},
            "removed": {"callers": breaking("The server does not start with it.")},
        },
    ),
    "setting bound": Kind(
        "The least or the greatest value of a setting.",
        ("callers",),
        {
            "added": {"callers": breaking("The server does not start with a value beyond it.")},
            "removed": {"callers": additive("What was accepted still is.")},
            "narrowed": {"callers": breaking("The server does not start with a value beyond it.")},
            "widened": {"callers": additive("What was accepted still is.")},
        },
    ),
    "setting default": Kind(
        "What a setting means that is not given.",
        ("callers",),
        {
            "added": {"callers": risky("Unset, the setting now means this value.")},
            "removed": {"callers": risky("Unset, the setting means something else.")},
            "changed": {"callers": risky("Unset, the setting means something else.")},
        },
    ),
    "settings file variable": Kind(
        "A variable that may name a file of settings.",
        ("callers",),
        {
            "added": {"callers": additive("One more way to name the file.")},
            "removed": {"callers": breaking("The file that it names is not read any more.")},
        },
    ),
}

_CODEX: Final[Mapping[str, Kind]] = {
    "codex minimum": Kind(
        "The oldest Codex that will do.",
        ("callers", "work"),
        {
            "narrowed": {
                "callers": breaking("Whoever has an older Codex must update it first."),
                "work": breaking("An older app-server with work in it is adopted no more."),
            },
            "widened": {
                "callers": additive("Whatever ran still does."),
                "work": additive("Whatever ran still does."),
            },
        },
    ),
    "codex message": Kind(
        "A method of Codex that is called, or a notification that is listened to.",
        ("work",),
        {
            "added": {"work": risky("The app-server that runs must know it; see the minimum version.")},
            "removed": {
                "work": risky("What it told, or did, for work under way is not told or done any more.")
            },
        },
    ),
    "codex field": Kind(
        "A field of Codex's messages that is written or read.",
        ("work",),
        {
            "added": {"work": risky("The app-server that runs must know it; see the minimum version.")},
            "removed": {"work": additive("It is not written or read any more.")},
            "changed": {"work": risky("The app-server that runs must agree with the new type.")},
        },
    ),
    "codex question": Kind(
        "A request of Codex that is put before people, or refused.",
        ("callers", "work"),
        {
            "added": {
                "callers": risky("A new kind of question may wait for an answer."),
                "work": additive("It went unanswered before."),
            },
            "removed": {
                "callers": additive("It is not asked any more."),
                "work": breaking("One that is open can no longer be answered."),
            },
            "changed": {
                "callers": risky(
                    "What was refused is asked, what was asked is refused, or is of another kind."
                ),
                "work": risky("One that is open is answered by other rules."),
            },
        },
    ),
    "codex override": Kind(
        "A setting of Codex that is overridden when its app-server starts.",
        ("work",),
        {
            "added": {"work": risky("An app-server that runs goes on without it until it is started again.")},
            "removed": {"work": risky("An app-server that runs keeps it until it is started again.")},
            "changed": {
                "work": risky("An app-server that runs keeps the old value until it is started again.")
            },
        },
    ),
    "codex prompt": Kind(
        "A prompt of our own that work under way may be sent.",
        ("work",),
        {
            "added": {"work": additive("Work is sent it where it was sent none.")},
            "removed": {"work": risky("Work that would be sent it goes on otherwise.")},
            "changed": {"work": additive("Work that broke off is told the same in other words.")},
        },
    ),
}

_TABLES: Final[Mapping[str, Kind]] = {
    "table": Kind(
        "The table of a lifecycle or a record.",
        ("rows", "work"),
        {
            "added": {
                "rows": additive("No row is in it yet."),
                "work": additive("An older worker does not know it."),
            },
            "removed": {
                "rows": breaking("Its rows are lost."),
                "work": breaking("An older worker still reads and writes it."),
            },
        },
        in_tables=True,
    ),
    "table rule": Kind(
        "That a table holds one row, or only grows, or is written under the lease.",
        ("rows", "work"),
        {
            "narrowed": {
                "rows": breaking("Old rows may not fit, or can no longer be changed."),
                "work": breaking("Writes of an older worker are refused."),
            },
            "widened": {
                "rows": additive("Old rows still fit."),
                "work": risky("An older worker relies on what is no longer refused."),
            },
        },
        in_tables=True,
    ),
    "id prefix": Kind(
        "What the ids of rows begin with.",
        ("callers", "rows"),
        {
            "changed": {
                "callers": risky("Clients that tell ids by their prefix do not know the new ones."),
                "rows": risky("Old ids keep the old prefix."),
            }
        },
    ),
    "column": Kind(
        "A column.",
        ("rows", "work"),
        {
            "added": {
                "rows": additive("Old rows leave it empty; a demand for it is compared by itself."),
                "work": additive("An older worker passes over it."),
            },
            "removed": {
                "rows": breaking("What old rows hold in it is lost."),
                "work": breaking("An older worker still reads and writes it."),
            },
        },
        in_tables=True,
    ),
    "given column": Kind(
        "That a column is never empty, and has no default.",
        ("rows", "work"),
        {
            "added": {
                "rows": breaking("Old rows hold no value for it, and nothing says which one."),
                "work": breaking("An older worker still writes rows without it."),
            },
            "removed": {
                "rows": additive("Old rows hold a value."),
                "work": breaking("An older worker relies on a value that newer rows may lack."),
            },
            "changed": {
                "rows": additive("Old rows hold a value."),
                "work": additive("An older worker writes the default that it knows."),
            },
        },
        in_tables=True,
    ),
    "filled column": Kind(
        "That a column is never empty, and has a default.",
        ("rows", "work"),
        {
            "added": {
                "rows": risky("The migration must give old rows the default."),
                "work": breaking("An older worker still writes rows without it."),
            },
            "removed": {
                "rows": additive("Old rows hold a value."),
                "work": breaking("An older worker relies on a value that newer rows may lack."),
            },
            "changed": {
                "rows": risky("Old rows keep the old default."),
                "work": risky("An older worker writes the old default."),
            },
        },
        in_tables=True,
    ),
    "column type": Kind(
        "The type of a column; of JSON, its shape.",
        ("rows", "work"),
        {
            "changed": {
                "rows": breaking("Old rows hold values of the old type."),
                "work": breaking("An older worker reads and writes the old type."),
            }
        },
        in_tables=True,
    ),
    "column word": Kind(
        "One of the words that a column may hold.",
        ("rows", "work"),
        {
            "added": {
                "rows": additive("No row holds it yet."),
                "work": risky("An older worker cannot read a row that holds it."),
            },
            "removed": {
                "rows": breaking("Rows that hold it do not fit the table."),
                "work": breaking("An older worker still writes it, and is refused."),
            },
        },
        in_tables=True,
    ),
    "column reference": Kind(
        "That a column names a row of another table.",
        ("rows", "work"),
        {
            "added": {
                "rows": breaking("Old rows may name what is not there."),
                "work": risky("An older worker may write in an order that is now refused."),
            },
            "removed": {
                "rows": additive("Old rows still fit."),
                "work": additive("What an older worker writes still fits."),
            },
            "changed": {
                "rows": breaking("Old rows name rows of another table."),
                "work": breaking("An older worker still names rows of another table."),
            },
        },
        in_tables=True,
    ),
    "unique rule": Kind(
        "Columns that together occur once, perhaps only in some states.",
        ("rows", "work"),
        {
            "added": {
                "rows": breaking("Old rows may repeat each other, and the index cannot be made."),
                "work": breaking("An older worker may write what is now refused."),
            },
            "removed": {
                "rows": additive("Old rows still fit."),
                "work": breaking("An older worker relies on a second row being refused."),
            },
            "narrowed": {
                "rows": breaking("Old rows in more states may repeat each other."),
                "work": breaking("An older worker may write what is now refused."),
            },
            "widened": {
                "rows": additive("Old rows still fit."),
                "work": breaking("An older worker relies on a second row being refused."),
            },
            "changed": {
                "rows": breaking("Two conditions cannot be compared; old rows may repeat each other."),
                "work": breaking("An older worker relies on the old condition."),
            },
        },
        in_tables=True,
    ),
    "index": Kind(
        "Columns that rows are found by.",
        ("rows",),
        {
            "added": {"rows": additive("It is built over the old rows.")},
            "removed": {"rows": additive("It is dropped.")},
        },
        in_tables=True,
    ),
}

_MACHINES: Final[Mapping[str, Kind]] = {
    "state": Kind(
        "A state of a lifecycle.",
        ("rows", "work"),
        {
            "added": {
                "rows": additive("No row is in it yet."),
                "work": risky("An older worker cannot read a row that is in it."),
            },
            "removed": {
                "rows": breaking(
                    "Rows that are in it do not fit the table, and their journal does not replay."
                ),
                "work": breaking("What is in it, or is taken there by an older worker, is stranded."),
            },
        },
        in_tables=True,
    ),
    "status": Kind(
        "The word that clients see for a state.",
        ("callers",),
        {"changed": {"callers": breaking("Clients see another word for what happens.")}},
    ),
    "finality": Kind(
        "Whether a state may be left.",
        ("callers", "rows", "work"),
        {
            "narrowed": {
                "callers": additive("What clients wait for is reached earlier."),
                "rows": breaking("Old rows that are in it never go on."),
                "work": breaking("What is in it never goes on."),
            },
            "widened": {
                "callers": breaking("What clients take for the last word may change."),
                "rows": risky("Old rows that had ended may go on."),
                "work": risky("An older worker takes for ended what is not."),
            },
        },
        in_tables=True,
    ),
    "state guidance": Kind(
        "What a state waits for, what to do next, and when to look again.",
        ("callers",),
        {"changed": {"callers": additive("Clients follow what the result says.")}},
    ),
    "state fact": Kind(
        "Whether a state holds a slot, can be cancelled, or may be tried again.",
        ("callers", "work"),
        {
            "changed": {
                "callers": risky("A request that was granted in this state may be refused, or the reverse."),
                "work": risky("An older worker counts, cancels or repeats by the old rule."),
            }
        },
    ),
    "state condition": Kind(
        "That a column is filled, or empty, in a state.",
        ("rows", "work"),
        {
            "added": {
                "rows": breaking("Old rows in the state may not fit."),
                "work": breaking("An older worker may write what is now refused."),
            },
            "removed": {
                "rows": additive("Old rows still fit."),
                "work": risky("An older worker relies on what newer rows may not keep."),
            },
            "changed": {
                "rows": breaking("Old rows in the state do not fit."),
                "work": breaking("An older worker writes what is now refused."),
            },
        },
        in_tables=True,
    ),
    "event": Kind(
        "An event of a lifecycle.",
        ("rows", "work"),
        {
            "added": {
                "rows": additive("No journal holds it yet."),
                "work": additive("An older worker never raises it."),
            },
            "removed": {
                "rows": breaking("Journals that hold it do not replay."),
                "work": breaking("An older worker still raises it."),
            },
        },
        in_tables=True,
    ),
    "creation": Kind(
        "The state in which an event makes a row.",
        ("rows", "work"),
        {
            "changed": {
                "rows": risky("Journals of old rows begin elsewhere and do not replay."),
                "work": breaking("What an older server or worker creates is refused."),
            }
        },
        in_tables=True,
    ),
    "actor": Kind(
        "Who may raise an event.",
        ("work",),
        {
            "added": {"work": additive("Whoever raised it still may.")},
            "removed": {"work": breaking("An older worker or server still raises it, and is refused.")},
        },
    ),
    "cell": Kind(
        "What an event does in a state: leads elsewhere, is ignored, is a conflict, or is illegal.",
        ("rows", "work"),
        {
            "narrowed": {
                "rows": risky("Journals that hold the edge do not replay; rows in the state lose a way out."),
                "work": breaking("An event that is on its way to a row in the state is refused."),
            },
            "widened": {
                "rows": additive("Old rows have one more way."),
                "work": additive("An older worker never takes it."),
            },
            "changed": {
                "rows": risky("Journals that hold the old edge do not replay."),
                "work": breaking("An older worker leads the row elsewhere, and is refused."),
            },
        },
        in_tables=True,
    ),
    "assignment": Kind(
        "What an event or a touch does to a column.",
        ("work",),
        {
            "added": {"work": risky("An older worker raises the event without it.")},
            "removed": {"work": risky("An older worker still does it; a column that nothing sets is fixed.")},
            "changed": {"work": risky("An older worker does it in the old way.")},
        },
        in_tables=True,
    ),
    "order": Kind(
        "What an event asks of the worker.",
        ("work",),
        {
            "added": {
                "work": risky("An older worker gives no such order, and may not know how to follow one.")
            },
            "removed": {"work": risky("Work that counts on the order waits for it.")},
        },
    ),
    "consequence": Kind(
        "What a follower does once a row that it follows is in a state.",
        ("work",),
        {
            "added": {"work": risky("An older worker changes the followed row alone.")},
            "removed": {"work": risky("An older worker still changes the follower with it.")},
            "changed": {"work": risky("An older worker does with the follower what was said before.")},
        },
    ),
    "touch": Kind(
        "An update that is no change of state.",
        ("work",),
        {
            "added": {"work": additive("An older worker never makes it.")},
            "removed": {"work": breaking("An older worker still makes it.")},
        },
        in_tables=True,
    ),
}

_PYTHON: Final[Mapping[str, Kind]] = {
    "python module": Kind(
        "An emitted module.",
        ("importers",),
        {
            "added": {"importers": additive("Nobody imports it yet.")},
            "removed": {"importers": breaking("Importing it fails.")},
        },
    ),
    "python name": Kind(
        "A class, function or value of a module, or a member of a class.",
        ("importers",),
        {
            "added": {"importers": additive("Nobody uses it yet.")},
            "removed": {"importers": breaking("Using it fails.")},
            "changed": {"importers": breaking("What was a class, a function or a value is something else.")},
        },
    ),
    "python bases": Kind(
        "What a class is derived from.",
        ("importers",),
        {"changed": {"importers": risky("`isinstance`, `except` and inherited members answer otherwise.")}},
    ),
    "python parameter": Kind(
        "A parameter of a function.",
        ("importers",),
        {
            "added": {
                "importers": additive("Calls may leave it out; a demand for it is compared by itself.")
            },
            "removed": {"importers": breaking("Calls that give it fail.")},
        },
    ),
    "python requirement": Kind(
        "That a parameter must be given.",
        ("importers",),
        {
            "added": {"importers": breaking("Calls that leave it out fail.")},
            "removed": {"importers": additive("Calls that give it go on.")},
        },
    ),
    "python type": Kind(
        "The type of a parameter, a result, a field or an alias.",
        ("importers",),
        {"changed": {"importers": risky("A type checker may refuse what it accepted.")}},
    ),
}

MATRIX: Final[Mapping[str, Kind]] = {
    **_TOOLS,
    **_INPUTS,
    **_RESULTS,
    **_SETTINGS,
    **_TABLES,
    **_STORED_JSON,
    **_MACHINES,
    **_CODEX,
    **_PYTHON,
}
"""Kind of element → what each change of it does to each reader."""
