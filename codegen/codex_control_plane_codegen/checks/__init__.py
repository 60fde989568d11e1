"""What must hold in a spec beyond the form of its documents; the tables of checks stand at the end."""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from codex_control_plane_codegen.checks.cells import every_cell_is_decided, no_cell_is_decided_twice
from codex_control_plane_codegen.checks.charts import (
    a_row_begins_somewhere,
    events_are_charted_and_described,
    every_state_can_end,
    every_state_is_reached,
    final_states_are_final,
    states_are_charted_and_described,
    waiting_ends_without_the_client,
)
from codex_control_plane_codegen.checks.codex import (
    codex_has_what_is_used,
    codex_messages_exist,
    experimental_is_said,
    losses_are_looked_up,
    losses_are_ruled,
    messages_are_wanted_or_not,
    tested_version_will_do,
    versions_are_pinned,
)
from codex_control_plane_codegen.checks.columns import (
    creations_fill_every_column,
    effects_fit_their_columns,
    forbidden_columns_stay_empty,
    required_columns_are_set,
    states_do_not_contradict_themselves,
)
from codex_control_plane_codegen.checks.composition import (
    actors_may_raise_their_events,
    followed_rows_are_single,
    parts_of_the_composition_exist,
)
from codex_control_plane_codegen.checks.evidence import codex_is_quoted
from codex_control_plane_codegen.checks.examples import defaults_fit, examples_fit, required_properties_exist
from codex_control_plane_codegen.checks.following import (
    every_role_is_followed_once,
    every_state_has_its_consequence,
    followed_parts_exist,
    followers_can_always_follow,
)
from codex_control_plane_codegen.checks.names import (
    files_are_named_after_their_content,
    names_are_given_once,
    names_differ_within_a_lifecycle,
    no_name_is_a_keyword,
)
from codex_control_plane_codegen.checks.placeholders import placeholders_are_filled_in
from codex_control_plane_codegen.checks.references import (
    codex_shapes_exist,
    columns_exist,
    commands_exist,
    groups_end_in_states,
    lifecycles_exist,
    next_actions_exist,
    states_exist,
    tools_name_what_exists,
    types_end,
    types_exist,
)
from codex_control_plane_codegen.checks.settings import column_defaults_fit, setting_defaults_fit
from codex_control_plane_codegen.checks.subject import Subject
from codex_control_plane_codegen.checks.tools import hints_agree, names_fit_into_clients, outputs_are_objects
from codex_control_plane_codegen.checks.usage import codex_shapes_are_used, errors_are_used, types_are_used
from codex_control_plane_codegen.checks.wording import events_are_commands, names_say_something
from codex_control_plane_codegen.diagnostics import Diagnostic

Check: TypeAlias = Callable[[Subject], Iterator[Diagnostic]]
"""One rule; it yields a diagnostic for every place that breaks it, and never fails on a broken model."""

CHECKS: Final[tuple[Check, ...]] = (
    files_are_named_after_their_content,
    names_are_given_once,
    names_differ_within_a_lifecycle,
    no_name_is_a_keyword,
    names_say_something,
    events_are_commands,
    placeholders_are_filled_in,
    states_exist,
    groups_end_in_states,
    next_actions_exist,
    commands_exist,
    lifecycles_exist,
    columns_exist,
    types_exist,
    types_end,
    tools_name_what_exists,
    codex_shapes_exist,
    states_are_charted_and_described,
    events_are_charted_and_described,
    a_row_begins_somewhere,
    every_state_is_reached,
    every_state_can_end,
    final_states_are_final,
    waiting_ends_without_the_client,
    codex_is_quoted,
    every_cell_is_decided,
    no_cell_is_decided_twice,
    followed_parts_exist,
    every_role_is_followed_once,
    every_state_has_its_consequence,
    followers_can_always_follow,
    states_do_not_contradict_themselves,
    effects_fit_their_columns,
    creations_fill_every_column,
    required_columns_are_set,
    forbidden_columns_stay_empty,
    names_fit_into_clients,
    hints_agree,
    outputs_are_objects,
    examples_fit,
    defaults_fit,
    required_properties_exist,
    setting_defaults_fit,
    column_defaults_fit,
    messages_are_wanted_or_not,
    tested_version_will_do,
    versions_are_pinned,
    losses_are_ruled,
    losses_are_looked_up,
    codex_messages_exist,
    codex_has_what_is_used,
    experimental_is_said,
)
"""Every check of what must hold, in the order in which a reader of a spec would ask."""

COMPOSITION_CHECKS: Final[tuple[Check, ...]] = (
    parts_of_the_composition_exist,
    actors_may_raise_their_events,
    followed_rows_are_single,
)
"""The checks of how lifecycles move together; they come when each by itself is sound."""

USAGE_CHECKS: Final[tuple[Check, ...]] = (types_are_used, errors_are_used, codex_shapes_are_used)
"""The checks for what is left over; they come when there is no error."""
