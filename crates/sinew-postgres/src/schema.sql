create schema if not exists {schema};

create table if not exists {schema}.{records} (
    key text collate "C" primary key,
    names bytea[] not null,
    contents bytea[] not null,
    expires_at timestamptz,
    sweep_at timestamptz
) with (fillfactor = 80);

create index if not exists {records_sweep} on {schema}.{records} (sweep_at)
    where sweep_at is not null;

create unlogged table if not exists {schema}.{cache} (
    key text collate "C" primary key,
    content bytea not null,
    written_at timestamptz not null,
    expires_at timestamptz,
    sweep_at timestamptz
) with (fillfactor = 80);

create index if not exists {cache_sweep} on {schema}.{cache} (sweep_at)
    where sweep_at is not null;

create or replace function {schema}.{commit}(
    wanted_key text,
    expected_names bytea[],
    expected_contents bytea[],
    clears boolean,
    removed_names bytea[],
    set_names bytea[],
    set_contents bytea[],
    life_ms bigint,
    creates boolean,
    target_key text,
    fields_max bigint,
    bytes_max bigint,
    out outcome text,
    out names bytea[],
    out contents bytea[],
    out expires_in_ms bigint
) language plpgsql volatile as $body$
declare
    stored record;
    is_stored boolean;
    is_moved boolean := target_key is not null and target_key <> wanted_key;
    moment timestamptz;
    new_names bytea[];
    new_contents bytea[];
    new_bytes bigint;
    new_expires_at timestamptz;
    new_sweep_at timestamptz;
    from_lock bigint;
    target_lock bigint;
begin
    -- A move holds two records. Moves of the same records take turns before they lock any, in
    -- one order; everybody else locks one record and waits for nothing while holding it.
    if is_moved then
        from_lock := hashtextextended(wanted_key, {move_lock});
        target_lock := hashtextextended(target_key, {move_lock});
        perform pg_advisory_xact_lock(least(from_lock, target_lock));
        perform pg_advisory_xact_lock(greatest(from_lock, target_lock));
    end if;
    loop
        select it.names, it.contents, it.expires_at into stored
            from {schema}.{records} as it where it.key = wanted_key for update;
        is_stored := found;
        moment := clock_timestamp();
        names := '{}';
        contents := '{}';
        new_expires_at := null;
        if is_stored and (stored.expires_at is null or stored.expires_at > moment) then
            names := stored.names;
            contents := stored.contents;
            new_expires_at := stored.expires_at;
        elsif not creates then
            outcome := 'missing';
            return;
        end if;

        if exists (
            select from unnest(expected_names, expected_contents) as expected (name, content)
            where expected.content is distinct from (
                select field.content from unnest(names, contents) as field (name, content)
                where field.name = expected.name
            )
        ) then
            outcome := 'conflict';
            expires_in_ms := ceil(extract(epoch from new_expires_at - moment) * 1000);
            return;
        end if;

        if life_ms is not null then
            new_expires_at := moment + life_ms * interval '1 millisecond';
        end if;
        -- Rounded up to the hour, so that renewing a life seldom touches the index.
        new_sweep_at := date_trunc('hour', new_expires_at, 'UTC') + interval '1 hour';

        if is_stored and not is_moved and not clears and cardinality(removed_names) = 0
            and cardinality(set_names) = 0 and cardinality(names) = cardinality(stored.names)
        then
            update {schema}.{records} as it
                set expires_at = new_expires_at, sweep_at = new_sweep_at
                where it.key = wanted_key;
            exit;
        end if;

        select coalesce(array_agg(field.name), '{}'), coalesce(array_agg(field.content), '{}'),
                coalesce(sum(octet_length(field.name) + octet_length(field.content)), 0)
            into new_names, new_contents, new_bytes
            from (
                select kept.name, kept.content from unnest(names, contents) as kept (name, content)
                where not clears and kept.name <> all (removed_names) and kept.name <> all (set_names)
                union all
                select written.name, written.content
                from unnest(set_names, set_contents) as written (name, content)
            ) as field;
        if cardinality(set_names) > 0 then
            if cardinality(new_names) > fields_max then
                outcome := 'too many fields';
                exit;
            end if;
            if new_bytes > bytes_max then
                outcome := 'too large';
                exit;
            end if;
        end if;

        if is_moved then
            insert into {schema}.{records} as it (key, names, contents, expires_at, sweep_at)
                values (target_key, new_names, new_contents, new_expires_at, new_sweep_at)
                on conflict (key) do update set names = excluded.names,
                    contents = excluded.contents, expires_at = excluded.expires_at,
                    sweep_at = excluded.sweep_at;
            delete from {schema}.{records} as it where it.key = wanted_key;
            exit;
        elsif is_stored then
            update {schema}.{records} as it
                set names = new_names, contents = new_contents, expires_at = new_expires_at,
                    sweep_at = new_sweep_at
                where it.key = wanted_key;
            exit;
        end if;
        insert into {schema}.{records} as it (key, names, contents, expires_at, sweep_at)
            values (wanted_key, new_names, new_contents, new_expires_at, new_sweep_at)
            on conflict do nothing;
        exit when found;
        -- Somebody else made it at the same time: what they wrote counts.
    end loop;
    outcome := coalesce(outcome, 'applied');
    names := null;
    contents := null;
end
$body$;
