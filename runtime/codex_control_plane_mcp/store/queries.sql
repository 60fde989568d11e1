-- name: operation
SELECT * FROM operation WHERE operation_id = :operation_id;

-- name: operation_by_key
SELECT * FROM operation WHERE client_request_id = :client_request_id;

-- name: active_prompts
-- The prompts of a project that are active beside the same images and schema: the same one first, then the newest.
SELECT operation_id, state, thread_id, turn_id, prompt_hash, prompt_print, resource_keys FROM operation
WHERE project_id = :project_id
  AND state IN ('queued', 'starting_app_server', 'starting_thread', 'starting_turn', 'starting_review', 'running',
                'waiting_for_approval', 'waiting_for_user_input', 'waiting_for_quota')
  AND prompt_hash IS NOT NULL
  AND inputs_hash IS :inputs_hash
ORDER BY prompt_hash = :prompt_hash DESC, created_at DESC, operation_id DESC
LIMIT :limit;

-- name: finished_prompt
-- The latest completed task of a project with this prompt, images and schema.
SELECT operation_id, state, thread_id, turn_id, prompt_hash, prompt_print, resource_keys FROM operation
WHERE prompt_hash = :prompt_hash
  AND project_id = :project_id
  AND inputs_hash IS :inputs_hash
  AND state = 'completed'
ORDER BY created_at DESC, operation_id DESC
LIMIT 1;

-- name: operation_of_turn
-- The operation that carries a turn of Codex.
-- Between two turns it is known by the last one.
SELECT * FROM operation
WHERE thread_id = :thread_id
  AND (turn_id = :turn_id OR (turn_id IS NULL AND continues_turn_id = :turn_id));

-- name: operations_in_hand
-- What a worker has claimed and Codex has not ended; oldest first.
SELECT * FROM operation
WHERE state IN ('starting_app_server', 'starting_thread', 'starting_turn', 'starting_review', 'running',
                'waiting_for_approval', 'waiting_for_user_input', 'steering')
ORDER BY created_at, operation_id;

-- name: slot_holders
-- What takes slots and locks, as the scheduler sees it; oldest first.
SELECT operation_id, project_id, project_path, agent_id, thread_id, sandbox, resource_keys, ranked_at
FROM operation
WHERE runs_turn AND state IN ('starting_app_server', 'starting_thread', 'starting_turn', 'starting_review', 'running',
                'waiting_for_approval', 'waiting_for_user_input')
ORDER BY created_at, operation_id;

-- name: waiting_lanes
-- The first queued task of each project, agent and sandbox, and when they were served last.
-- From one lane to the next by the index: it costs what there are lanes, however many tasks wait.
WITH RECURSIVE head (project_id, agent_id, sandbox, priority, ranked_at) AS (
  SELECT * FROM (
    SELECT project_id, agent_id, sandbox, priority, ranked_at FROM operation WHERE state = 'queued' AND runs_turn
    ORDER BY project_id, agent_id, sandbox, ranked_at LIMIT 1)
  UNION ALL
  SELECT following.project_id, following.agent_id, following.sandbox, following.priority, following.ranked_at
  FROM head JOIN operation AS following ON following.operation_id = coalesce(
    (SELECT operation_id FROM operation
      WHERE state = 'queued' AND runs_turn AND project_id = head.project_id AND agent_id = head.agent_id
        AND sandbox > head.sandbox
      ORDER BY sandbox, ranked_at LIMIT 1),
    (SELECT operation_id FROM operation
      WHERE state = 'queued' AND runs_turn AND project_id = head.project_id AND agent_id > head.agent_id
      ORDER BY agent_id, sandbox, ranked_at LIMIT 1),
    (SELECT operation_id FROM operation
      WHERE state = 'queued' AND runs_turn AND project_id > head.project_id
      ORDER BY project_id, agent_id, sandbox, ranked_at LIMIT 1)))
SELECT head.*,
  (SELECT max(scheduled_at) FROM operation WHERE project_id = head.project_id) AS project_started_at,
  (SELECT max(scheduled_at) FROM operation
    WHERE project_id = head.project_id AND agent_id = head.agent_id) AS agent_started_at
FROM head ORDER BY head.project_id;

-- name: ready_of_lane
-- The queued tasks of a lane that are not postponed, by rank; their threads are idle, and nothing handed in
-- earlier is still to come on them. The plus keeps SQLite to the index of the thread: much is queued.
SELECT operation_id, project_id, project_path, agent_id, thread_id, sandbox, resource_keys, ranked_at
FROM operation AS waiting
WHERE waiting.state = 'queued' AND waiting.runs_turn
  AND waiting.project_id = :project_id AND waiting.agent_id = :agent_id AND waiting.sandbox = :sandbox
  AND (waiting.next_attempt_at IS NULL OR waiting.next_attempt_at <= :now)
  AND NOT EXISTS (
    SELECT 1 FROM operation AS busy
    WHERE busy.thread_id = waiting.thread_id AND busy.runs_turn
      AND busy.state IN ('starting_app_server', 'starting_thread', 'starting_turn', 'starting_review', 'running',
                         'waiting_for_approval', 'waiting_for_user_input'))
  AND NOT EXISTS (
    SELECT 1 FROM operation AS ahead
    WHERE ahead.thread_id = waiting.thread_id AND ahead.runs_turn
      AND +ahead.state IN ('queued', 'waiting_for_quota')
      AND (ahead.created_at, ahead.operation_id) < (waiting.created_at, waiting.operation_id))
  AND NOT EXISTS (
    SELECT 1 FROM thread_action AS action
    WHERE action.thread_id = waiting.thread_id AND action.state IN ('starting', 'running'))
ORDER BY waiting.ranked_at, waiting.operation_id
LIMIT :limit;

-- name: queued_operations
-- What waits for a slot, oldest first.
SELECT * FROM operation WHERE state = 'queued' ORDER BY created_at, operation_id LIMIT :limit;

-- name: quota_waits
-- What waits for the usage limit, the earliest first.
SELECT * FROM operation WHERE state = 'waiting_for_quota' ORDER BY resumes_at LIMIT :limit;

-- name: ended_operations
-- What ended in this way, the latest first.
-- The plus keeps SQLite to the index of updated_at: few rows are wanted, and many have ended.
SELECT operation_id FROM operation WHERE +state IN (SELECT value FROM json_each(:states))
ORDER BY updated_at DESC LIMIT :limit;

-- name: queued_without_turn
-- What needs no turn of its own and may start now, oldest first; a turn is told one thing after the other.
SELECT * FROM operation AS waiting
WHERE waiting.state = 'queued' AND NOT waiting.runs_turn
  AND (waiting.next_attempt_at IS NULL OR waiting.next_attempt_at <= :now)
  AND NOT EXISTS (
    SELECT 1 FROM operation AS ahead
    WHERE ahead.expected_turn_id = waiting.expected_turn_id
      AND (ahead.state = 'queued'
        OR ahead.state IN ('starting_app_server', 'starting_thread', 'starting_turn', 'starting_review', 'running',
                           'waiting_for_approval', 'waiting_for_user_input', 'steering'))
      AND (ahead.created_at, ahead.operation_id) < (waiting.created_at, waiting.operation_id))
ORDER BY waiting.created_at, waiting.operation_id;

-- name: next_attempt_due
-- When the next postponed task may start.
SELECT min(next_attempt_at) AS due FROM operation WHERE state = 'queued' AND next_attempt_at > :now;

-- name: replenished_operations
-- The tasks whose usage limit is reset by now.
SELECT * FROM operation WHERE state = 'waiting_for_quota' AND resumes_at <= :now ORDER BY resumes_at;

-- name: next_reset
-- When the usage limit of the next waiting task is reset.
SELECT min(resumes_at) AS due FROM operation WHERE state = 'waiting_for_quota';

-- name: older_queued
-- How many queued tasks come before this one.
SELECT count(*) AS total FROM operation
WHERE state = 'queued' AND (created_at, operation_id) < (:created_at, :operation_id);

-- name: thread_in_use
-- The task or the thread action that is on a thread; there is one at most.
SELECT operation_id AS user_id FROM operation
WHERE thread_id = :thread_id AND runs_turn
  AND state IN ('starting_app_server', 'starting_thread', 'starting_turn', 'starting_review', 'running',
                'waiting_for_approval', 'waiting_for_user_input')
UNION ALL
SELECT thread_action_id FROM thread_action WHERE thread_id = :thread_id AND state IN ('starting', 'running')
LIMIT 1;

-- name: ahead_on_thread
-- The oldest task that was handed in earlier and is still to come on the same thread.
SELECT operation_id FROM operation
WHERE thread_id = :thread_id AND runs_turn AND +state IN ('queued', 'waiting_for_quota')
  AND (created_at, operation_id) < (:created_at, :operation_id)
ORDER BY created_at, operation_id
LIMIT 1;

-- name: waiting_for_thread
-- The oldest task that is to go on in a thread and has no turn there now.
SELECT operation_id FROM operation
WHERE state IN ('queued', 'waiting_for_quota')
  AND (thread_id = :thread_id
       OR continues_turn_id IN (SELECT turn_id FROM turn WHERE thread_id = :thread_id))
ORDER BY created_at, operation_id
LIMIT 1;

-- name: plan_workflow
SELECT * FROM plan_workflow WHERE plan_workflow_id = :plan_workflow_id;

-- name: plan_workflow_by_key
SELECT * FROM plan_workflow WHERE client_request_id = :client_request_id;

-- name: plan_workflow_of_thread
-- The newest workflow whose plan was made on a thread.
SELECT plan_workflow.* FROM operation JOIN plan_workflow ON plan_operation_id = operation_id
WHERE thread_id = :thread_id ORDER BY plan_workflow.created_at DESC LIMIT 1;

-- name: operations_of_workflow
-- The tasks of a workflow, in the order in which they were handed in.
SELECT * FROM operation WHERE workflow_id = :workflow_id ORDER BY created_at, operation_id;

-- name: open_discussion
-- The oldest message on the thread of a workflow's plan that has not ended.
SELECT * FROM operation
WHERE workflow_id = :workflow_id AND workflow_role = 'discussion' AND completed_at IS NULL
ORDER BY created_at LIMIT 1;

-- name: latest_plans_of_thread
-- The newest plan of each of the newest turns of a thread that made one, the newest first.
SELECT * FROM turn_plan
WHERE sequence IN (SELECT max(sequence) FROM turn_plan WHERE thread_id = :thread_id GROUP BY turn_id)
ORDER BY sequence DESC LIMIT :limit;

-- name: latest_turn_of_thread
-- The newest turn of a thread, of ours or of another client that made a plan in it.
SELECT turn_id FROM (
  SELECT turn_id, created_at AS at FROM turn
  WHERE thread_id = :thread_id AND (:besides IS NULL OR operation_id <> :besides)
  UNION ALL
  SELECT turn_id, seen_at AS at FROM turn_plan
  WHERE thread_id = :thread_id AND turn_id NOT IN (SELECT turn_id FROM turn)
) ORDER BY at DESC, turn_id DESC LIMIT 1;

-- name: workflow_cursor
-- The newest change of a workflow, of its goal, of its tasks or of their questions.
-- Each part names its entity, so that each uses the index of the journal.
SELECT max(sequence) AS latest FROM journal
WHERE (entity = 'plan_workflow' AND entity_id = :workflow_id)
   OR (entity = 'review_workflow' AND entity_id = :workflow_id)
   OR (entity = 'goal' AND entity_id IN (SELECT goal_id FROM goal WHERE workflow_id = :workflow_id))
   OR (entity = 'operation' AND entity_id IN
        (SELECT operation_id FROM operation WHERE workflow_id = :workflow_id))
   OR (entity = 'interaction' AND entity_id IN
        (SELECT interaction_id FROM interaction JOIN operation USING (operation_id)
         WHERE workflow_id = :workflow_id));

-- name: review_workflow
SELECT * FROM review_workflow WHERE review_workflow_id = :review_workflow_id;

-- name: review_workflow_by_key
SELECT * FROM review_workflow WHERE client_request_id = :client_request_id;

-- name: successor_of_plan_workflow
-- The workflow that took the place of another one.
SELECT * FROM plan_workflow WHERE replaces_workflow_id = :plan_workflow_id;

-- name: repair_runs_since
-- When a repair was done on a scope, the oldest first.
SELECT at FROM repair_run WHERE action = :action AND scope_id = :scope_id AND at > :since ORDER BY at;

-- name: thread_action
SELECT * FROM thread_action WHERE thread_action_id = :thread_action_id;

-- name: open_thread_action
-- What is being done to a thread as a whole.
SELECT * FROM thread_action WHERE thread_id = :thread_id AND state IN ('starting', 'running');

-- name: journal_of_entity
-- Every change of one row, in order.
SELECT * FROM journal WHERE entity = :entity AND entity_id = :entity_id ORDER BY sequence;

-- name: latest_operation_of_thread
SELECT * FROM operation WHERE thread_id = :thread_id ORDER BY created_at DESC, operation_id DESC LIMIT 1;

-- name: directories_of_project
-- Where the tasks of a project worked, the latest first.
SELECT cwd FROM operation WHERE project_id = :project_id GROUP BY cwd ORDER BY max(created_at) DESC LIMIT :limit;

-- name: turn
SELECT * FROM turn WHERE turn_id = :turn_id;

-- name: turns_of
-- The newest turns of a task, newest first.
SELECT * FROM turn WHERE operation_id = :operation_id ORDER BY created_at DESC, turn_id DESC LIMIT :limit;

-- name: active_turns
SELECT * FROM turn
WHERE state IN ('running', 'waiting_for_approval', 'waiting_for_user_input')
ORDER BY created_at;

-- name: attempt
SELECT * FROM attempt WHERE attempt_id = :attempt_id;

-- name: open_attempts
SELECT * FROM attempt WHERE state IN ('prepared', 'sent', 'unknown') ORDER BY created_at;

-- name: open_attempt_of
-- The call of one kind about one subject whose outcome is open.
SELECT * FROM attempt
WHERE subject_id = :subject_id AND kind = :kind AND state IN ('prepared', 'sent', 'unknown');

-- name: attempts_of
-- Every call of one kind that served a task, newest first.
SELECT * FROM attempt WHERE operation_id = :operation_id AND kind = :kind ORDER BY created_at DESC;

-- name: interaction
SELECT * FROM interaction WHERE interaction_id = :interaction_id;

-- name: times_asked
SELECT count(*) AS total FROM interaction
WHERE request_id = :request_id AND app_server_generation = :app_server_generation;

-- name: interaction_by_request
-- The open question that an app-server asked under this request id.
SELECT * FROM interaction
WHERE request_id = :request_id AND app_server_generation = :app_server_generation
  AND state IN ('pending', 'answering', 'declining');

-- name: open_interactions
SELECT * FROM interaction WHERE state IN ('pending', 'answering', 'declining') ORDER BY created_at;

-- name: open_interactions_of_turn
SELECT * FROM interaction
WHERE turn_id = :turn_id AND state IN ('pending', 'answering', 'declining') ORDER BY created_at;

-- name: interactions
-- What matches every filter that is given, oldest first; `states` is a JSON array.
SELECT * FROM interaction
WHERE state IN (SELECT value FROM json_each(:states))
  AND (:operation_id IS NULL OR operation_id = :operation_id)
  AND (:workflow_id IS NULL OR operation_id IN (SELECT operation_id FROM operation WHERE workflow_id = :workflow_id))
  AND (:thread_id IS NULL OR thread_id = :thread_id)
  AND (:turn_id IS NULL OR turn_id = :turn_id)
ORDER BY created_at, interaction_id
LIMIT :limit;

-- name: next_deadline
SELECT min(deadline_at) AS due FROM interaction WHERE state = 'pending';

-- name: lapsed_interactions
SELECT * FROM interaction WHERE state = 'pending' AND deadline_at <= :now ORDER BY deadline_at;

-- name: worker_command
SELECT * FROM worker_command WHERE worker_command_id = :worker_command_id;

-- name: open_commands
SELECT * FROM worker_command WHERE state IN ('queued', 'running') ORDER BY created_at;

-- name: recent_commands
SELECT * FROM worker_command ORDER BY created_at DESC, worker_command_id DESC LIMIT :limit;

-- name: open_command_of
SELECT * FROM worker_command
WHERE subject_id = :subject_id AND command_type = :command_type AND state IN ('queued', 'running');

-- name: worker
SELECT * FROM worker WHERE worker_id = :worker_id;

-- name: live_workers
SELECT * FROM worker WHERE state IN ('standby', 'executing', 'draining') ORDER BY created_at;

-- name: lease
SELECT * FROM executor_lease WHERE singleton = 1;

-- name: progress_tail
-- The newest progress of a task behind a cursor, agent messages aside, newest first.
SELECT * FROM progress_event
WHERE operation_id = :operation_id AND sequence > :cursor AND kind <> 'agent_message'
ORDER BY sequence DESC LIMIT :limit;

-- name: progress_after
-- The oldest progress of a task behind a cursor, agent messages aside.
SELECT * FROM progress_event
WHERE operation_id = :operation_id AND sequence > :cursor AND kind <> 'agent_message'
ORDER BY sequence LIMIT :limit;

-- name: messages
-- The newest agent messages of a turn, newest first.
SELECT * FROM progress_event
WHERE operation_id = :operation_id AND kind = 'agent_message'
ORDER BY sequence DESC LIMIT :limit;

-- name: messages_of_turn
-- The newest agent messages of one turn, newest first.
SELECT * FROM progress_event
WHERE turn_id = :turn_id AND kind = 'agent_message' ORDER BY sequence DESC LIMIT :limit;

-- name: progress_of_turn
-- The newest progress of one turn, agent messages aside, newest first.
SELECT * FROM progress_event
WHERE turn_id = :turn_id AND kind <> 'agent_message' ORDER BY sequence DESC LIMIT :limit;

-- name: first_message
-- The first agent message of a task.
SELECT * FROM progress_event
WHERE operation_id = :operation_id AND kind = 'agent_message'
ORDER BY sequence LIMIT 1;

-- name: progress_count
SELECT count(*) AS total, max(sequence) AS latest, max(at) AS latest_at
FROM progress_event WHERE operation_id = :operation_id;

-- name: plans_of_turn
-- The newest plans of one turn, newest first.
SELECT * FROM turn_plan WHERE turn_id = :turn_id ORDER BY sequence DESC LIMIT :limit;

-- name: lacks_plan
-- Whether a turn in plan mode has not ended and shows no plan.
SELECT 1 FROM turn JOIN operation USING (operation_id)
WHERE turn.turn_id = :turn_id AND turn.completed_at IS NULL AND operation.collaboration_mode = 'plan'
  AND NOT EXISTS (SELECT 1 FROM turn_plan WHERE turn_plan.turn_id = :turn_id);

-- name: journal_of_operation
-- Every change of a task, its turn, its calls and its questions.
SELECT * FROM journal
WHERE (entity = 'operation' AND entity_id = :operation_id)
   OR (entity = 'turn' AND entity_id IN (SELECT turn_id FROM turn WHERE operation_id = :operation_id))
   OR (entity = 'attempt' AND entity_id IN (SELECT attempt_id FROM attempt WHERE operation_id = :operation_id))
   OR (entity = 'interaction' AND entity_id IN
        (SELECT interaction_id FROM interaction WHERE operation_id = :operation_id))
ORDER BY sequence;

-- name: state_cursor
-- The newest change of a task or of its questions.
SELECT max(sequence) AS latest FROM journal
WHERE (entity = 'operation' AND entity_id = :operation_id)
   OR (entity = 'interaction' AND entity_id IN
        (SELECT interaction_id FROM interaction WHERE operation_id = :operation_id));

-- name: journal
SELECT * FROM journal WHERE sequence > :cursor ORDER BY sequence LIMIT :limit;

-- name: recent_errors
SELECT * FROM operation
WHERE last_error IS NOT NULL AND updated_at >= :since
ORDER BY updated_at DESC LIMIT :limit;

-- name: goal_standings
-- The goals that have not ended, with the thread of their workflow and how that has ended, if it has; oldest first.
SELECT goal.*, operation.thread_id AS workflow_thread_id, plan_workflow.state AS workflow_state,
       plan_workflow.completed_at AS workflow_ended_at
FROM goal
JOIN plan_workflow ON plan_workflow_id = goal.workflow_id
JOIN operation ON operation_id = plan_workflow.plan_operation_id
WHERE goal.state IN ('pending_thread', 'active') ORDER BY goal.created_at, goal_id;

-- name: goal_standing
-- The same of one goal.
SELECT goal.*, operation.thread_id AS workflow_thread_id, plan_workflow.state AS workflow_state,
       plan_workflow.completed_at AS workflow_ended_at
FROM goal
JOIN plan_workflow ON plan_workflow_id = goal.workflow_id
JOIN operation ON operation_id = plan_workflow.plan_operation_id
WHERE goal_id = :goal_id AND goal.state IN ('pending_thread', 'active');

-- name: goal_of_workflow
SELECT * FROM goal WHERE workflow_id = :workflow_id;

-- name: open_work
SELECT
  (SELECT count(*) FROM operation WHERE state = 'queued') AS queued,
  (SELECT count(*) FROM operation WHERE state = 'waiting_for_quota') AS waiting_for_quota,
  (SELECT count(*) FROM turn WHERE state IN ('running', 'waiting_for_approval', 'waiting_for_user_input')) AS turns,
  (SELECT count(*) FROM interaction WHERE state = 'pending') AS interactions,
  (SELECT count(*) FROM worker_command WHERE state IN ('queued', 'running')) AS commands,
  (SELECT count(*) FROM goal
    JOIN plan_workflow ON plan_workflow_id = goal.workflow_id
    JOIN operation ON operation_id = plan_workflow.plan_operation_id
    WHERE goal.state IN ('pending_thread', 'active')
      AND (plan_workflow.completed_at IS NOT NULL
           OR (goal.state = 'pending_thread' AND operation.thread_id IS NOT NULL))) AS goals,
  (SELECT count(*) FROM operation
    WHERE state IN ('starting_app_server', 'starting_thread', 'starting_turn', 'starting_review', 'running',
                    'waiting_for_approval', 'waiting_for_user_input', 'steering')) AS in_hand,
  (SELECT count(*) FROM operation
    WHERE state IN ('starting_app_server', 'starting_thread', 'starting_turn', 'starting_review', 'running',
                    'waiting_for_approval', 'waiting_for_user_input', 'steering')
      AND json_extract(last_error, '$.details.missingEvidence') IS NOT NULL) AS in_doubt;

-- name: unresolved_operations
-- What an operator may decide on: tasks in hand whose truth cannot be looked up, and tasks that ended unknown since
-- :since and were not submitted again; the longest waiting first.
SELECT * FROM operation
WHERE (state IN ('starting_app_server', 'starting_thread', 'starting_turn', 'starting_review', 'running',
                 'waiting_for_approval', 'waiting_for_user_input', 'steering')
       AND json_extract(last_error, '$.details.missingEvidence') IS NOT NULL)
   OR (state = 'unknown_after_app_server_exit' AND completed_at >= :since
       AND NOT EXISTS (SELECT 1 FROM operation AS later WHERE later.replaces_operation_id = operation.operation_id))
ORDER BY updated_at, operation_id;

-- name: replacement_of
-- The task that repeats the request of a task that ended unknown.
SELECT * FROM operation WHERE replaces_operation_id = :operation_id;
