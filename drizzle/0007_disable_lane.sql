-- Stops pushing to an endpoint whose receiver asked for it or has answered nothing well for days,
-- under the fences of `record_deliveries` (0005): a process that lost the shard, or drives what the
-- endpoint was before a change, changes nothing. True when it was disabled.
create function disable_lane(
  process uuid, its_tenant uuid, its_endpoint uuid, its_shard int, its_epoch bigint,
  its_generation int, reason text
) returns boolean
language plpgsql set lock_timeout = '500ms' as $$
begin
  if lock_lanes(process, array[its_tenant], array[its_endpoint], array[its_shard], array[its_epoch],
       array[its_generation]) is null then
    return false;
  end if;
  update positions
    set status = 'disabled', status_reason = reason, generation = generation + 1, in_flight = 0
    where tenant = its_tenant and consumer = its_endpoint;
  return true;
end
$$;
