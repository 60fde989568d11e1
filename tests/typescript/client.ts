// A client of a real server: types from contract/, every value of the conversation validated by ajv.
//
//   node client.ts CONTRACT_JSON CWD MESSAGE COMMAND [ARGUMENT...]
//
// It submits the message, which must make Codex ask for leave once, allows that, calls every other tool, and
// prints what it saw.

import { deepStrictEqual, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";

import type { Tools } from "./contract/contract.ts";

type Name = keyof Tools;
type Answer<N extends Name> = Tools[N]["output"];
type Success<N extends Name> = Extract<Answer<N>, { ok: true }>;
type Arguments = { properties?: object | undefined; required?: string[] | undefined };
type PublishedTool = { name: Name; inputSchema: Arguments; outputSchema: object };

const [path, cwd, message, command, ...args] = process.argv.slice(2);
if (!path || !cwd || !message || !command) throw new Error("usage: node client.ts CONTRACT_JSON CWD MESSAGE COMMAND");

// The list leaves out how long a text may be (docs/decisions/0051); the arguments are the same.
const signature = ({ name, inputSchema }: { name: string; inputSchema: Arguments }) => ({
  name,
  properties: Object.keys(inputSchema.properties ?? {}),
  required: inputSchema.required,
});

const published: PublishedTool[] = JSON.parse(readFileSync(path, "utf8")).tools;
const ajv = new Ajv2020({ strict: true, allErrors: true });
formats.default(ajv);
const validators = new Map<Name, { input: ValidateFunction; output: ValidateFunction }>(
  published.map((tool) => [
    tool.name,
    { input: ajv.compile(tool.inputSchema), output: ajv.compile(tool.outputSchema) },
  ]),
);
const validated: Partial<Record<Name, number>> = {};

const client = new Client({ name: "typescript-client", version: "1" });
const environment = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
);
await client.connect(new StdioClientTransport({ command, args, env: environment }));

function validate(check: ValidateFunction, value: unknown, what: string): void {
  ok(check(value), `${what}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(value)}`);
}

async function call<N extends Name>(name: N, input: Tools[N]["input"]): Promise<Answer<N>> {
  const checks = validators.get(name);
  ok(checks, `${name} is not published`);
  validate(checks.input, input, `input of ${name}`);
  const result = await client.callTool({ name, arguments: input as Record<string, unknown> });
  validate(checks.output, result.structuredContent, `output of ${name}`);
  validated[name] = (validated[name] ?? 0) + 1;
  return result.structuredContent as Answer<N>;
}

async function succeed<N extends Name>(name: N, input: Tools[N]["input"]): Promise<Success<N>> {
  const answer = await call(name, input);
  ok(answer.ok, JSON.stringify(answer));
  return answer as Success<N>;
}

async function reach(operationId: string, ...wanted: string[]): Promise<Success<"codex_get_operation_status">> {
  let row = await succeed("codex_get_operation_status", { operation_id: operationId });
  while (!wanted.includes(row.status)) {
    ok(row.phase !== "ended", JSON.stringify(row));
    row = await succeed("codex_get_operation_status", {
      operation_id: operationId,
      wait_seconds: 20,
      state_cursor: row.stateCursor,
    });
  }
  return row;
}

async function phase(workflowId: string, wanted: string): Promise<Success<"codex_get_workflow_status">> {
  let row = await succeed("codex_get_workflow_status", { workflow_id: workflowId });
  while (row.phase !== wanted) {
    ok(!row.completedAt, JSON.stringify(row));
    row = await succeed("codex_get_workflow_status", {
      workflow_id: workflowId,
      wait_seconds: 20,
      state_cursor: row.stateCursor,
    });
  }
  return row;
}

const served = (await client.listTools()).tools;
deepStrictEqual(served.map(signature), published.map(signature));

await succeed("codex_get_agent_contract", {});
await succeed("codex_health_summary", {});
const task = await succeed("codex_submit_task", { operation_type: "start_chat", cwd, message });
await reach(task.operationId, "waiting_for_approval");
const { interactions } = await succeed("codex_list_pending_interactions", { operation_id: task.operationId });
const [question] = interactions;
ok(question);
await succeed("codex_answer_pending_interaction", { interaction_id: question.interactionId, decision: "accept" });
const row = await reach(task.operationId, "completed");
const { threadId, turnId, projectId } = row;
ok(threadId && turnId);
await succeed("codex_get_turn_status", { turn_id: turnId });
const second = await succeed("codex_send_message", { chat_id: threadId, message: "model: say Once more." });
await reach(second.operationId, "completed");
const third = await succeed("codex_start_chat", { project_id: projectId, message: "model: say Elsewhere." });
await reach(third.operationId, "completed");
const review = await succeed("codex_start_review_workflow", {
  target_type: "custom",
  instructions: "model: say Reviewed.",
  cwd,
});
const reviewed = await phase(review.workflowId, "completed");
deepStrictEqual(reviewed.finalReport?.text, "Reviewed.");

const plan = await succeed("codex_start_plan_workflow", {
  project_id: projectId,
  message: "model: plan # Again\\n\\n1. Once more.",
});
const { workflowId } = plan;
const { latestPlan } = await phase(workflowId, "plan_ready");
ok(latestPlan);
const adoption = { candidate_turn_id: latestPlan.turnId, candidate_plan_hash: latestPlan.planHash };
await succeed("codex_adopt_workflow_plan", { workflow_id: workflowId, ...adoption });
const approval = { workflow_id: workflowId, plan_hash: latestPlan.planHash, message: "model: say Planned." };
const execution = await succeed("codex_approve_plan", approval);
await phase(workflowId, "completed");
const executedAgain = await succeed("codex_execute_plan", { workflow_id: workflowId });
deepStrictEqual(executedAgain.operationId, execution.operationId);
const retry = { action: "retry_workflow_with_runtime_policy" as const, workflow_id: workflowId };
const refusedRetry = await call("codex_repair_issue", retry);
deepStrictEqual(refusedRetry.ok, false);
const compaction = await succeed("codex_start_thread_compaction", { thread_id: threadId });
let state = await succeed("codex_get_thread_compaction_status", { action_id: compaction.actionId });
while (state.pollRecommended) {
  const waiting = { action_id: compaction.actionId, wait_seconds: 20 };
  state = await succeed("codex_get_thread_compaction_status", waiting);
}
await succeed("codex_archive_thread", { thread_id: threadId });
await succeed("codex_unarchive_thread", { thread_id: threadId });
await succeed("codex_get_queue_status", {});
await succeed("codex_get_concurrency_status", {});
await succeed("codex_get_worker_status", {});
await call("codex_get_worker_command_status", { command_id: "cmd_unknown" });
const refusal = await call("codex_interrupt_turn", { operation_id: "op_unknown" });
await client.close();

console.log(
  JSON.stringify({
    tools: served.length,
    validated,
    report: row.finalReport?.text,
    refusal: refusal.ok ? null : refusal.error.code,
  }),
);
