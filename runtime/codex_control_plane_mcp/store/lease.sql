-- name: acquire
-- Take the lease if it is free, fallen due, or known to be held by a dead process (:dead_fence).
INSERT INTO executor_lease (singleton, holder, fence, expires_at, pid, process_started, hostname)
VALUES (1, :holder, 1, :expires_at, :pid, :process_started, :hostname)
ON CONFLICT (singleton) DO UPDATE SET
  holder = excluded.holder, fence = executor_lease.fence + 1, expires_at = excluded.expires_at,
  pid = excluded.pid, process_started = excluded.process_started, hostname = excluded.hostname
WHERE executor_lease.holder IS NULL OR executor_lease.expires_at <= :now OR executor_lease.fence = :dead_fence
RETURNING fence;

-- name: renew
-- Keep the lease; no row if it is lost.
UPDATE executor_lease SET expires_at = :expires_at
WHERE singleton = 1 AND holder = :holder AND fence = :fence AND expires_at > :now
RETURNING fence;

-- name: release
UPDATE executor_lease SET holder = NULL, expires_at = 0
WHERE singleton = 1 AND holder = :holder AND fence = :fence;
