/** The API's types, written by `npm run generate` from openapi.yaml. */

export interface paths {
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read events after a cursor, in order
         * @description A cursor always comes back, moved past all that was scanned, also on an empty page; a page may be short or empty with `has_more` when much was scanned. It also ends at 4 MiB, and counts as full then. A full page reached by a cursor never changes and may be cached; with `endpoint` it changes with what that matches, and its `ETag` tells.
         */
        get: operations["listEvents"];
        put?: never;
        /**
         * Append an event, a batch of up to 1,000, or lines without end
         * @description Answered only after the commit.
         *
         *     **A batch** is answered 200 with one result per event: a bad event spoils only itself, and the events of one tenant keep their order. When one gets 503 or 500, those behind it of the same tenant are not appended either: repeated together, with a `key` in each, they stand in their order.
         *
         *     **Lines** (`application/x-ndjson`): one event a line, any number of them. They are appended while they arrive, in windows of up to 1,000, and so are the results written, one a line in the order of the events; a failure also tells its `line`. Blank lines are skipped; a line may have 1 MiB and 64 KiB. With `Prefer: return=minimal` only failures are written, and last `{"appended","duplicates","failed"}`. The gateway reads no faster than it appends, and holds up to 4 MiB of results for a client that does not read them: one that sends everything before it reads should ask for the short form, or both sides wait for each other until the gateway, within a minute, cuts the connection. A tenant's limit slows the upload down and refuses nothing. If the connection breaks, repeat the lines without a result; with a `key` in each none is appended twice.
         *
         *     **CloudEvents**: one (`application/cloudevents+json`), a batch, or the binary mode: a body of any media type with the headers `ce-specversion`, `ce-id`, `ce-source`, `ce-type` and others that begin with `ce-`, percent-encoded as the HTTP binding says. The `id` becomes the key, extensions are kept, `dataversion` and `tenant` mean what they mean in events of our own, and `sequence` is refused because the gateway assigns it.
         *
         *     **Traces**: the header `traceparent` (and `tracestate`) names the trace of all events that name none themselves. It is kept in the events, as CloudEvents' extension of that name, and takes no part in deduplication.
         */
        post: operations["appendEvents"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get one event */
        get: operations["getEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/endpoints/{id}/missed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read what an endpoint matched and has not received
         * @description In order: what is being retried, dead letters, receipts that have not come in time, what blocked subjects hold, and what waits beyond the position while nothing is pushed, or for more than a minute. A walk ends before the first event that is still on its way, so its cursor can be given to `POST /receipts` as `through` once all pages up to it are processed; the walk then also confirms what was pushed, accepted and waits for its receipt. What is delivered meanwhile is not shown, and what is missed later may lie before the cursor: repeat the walk from the beginning to be sure. Cursors fit any filter.
         */
        get: operations["listMissedEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/consumers/{name}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the events after a consumer's position, in order
         * @description The position stays: until its cursor is acknowledged, the page comes again. Otherwise it is like one of `GET /events`. A consumer that retention has overtaken gets 410 with what it `lost`, until it seeks another place.
         */
        get: operations["listConsumerEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/consumers/{name}/ack": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Acknowledge all up to a cursor
         * @description Moves the position to the cursor of a page, and so acknowledges all the pages before it too. One that lies before the position changes nothing; of several at once the furthest counts.
         */
        post: operations["ackConsumer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List deliveries of a tenant
         * @description The newest event first, and of one event the endpoint first that was made last. Events that an endpoint has not come to yet are not listed. Records are kept as long as their events. A page may be short or empty with `has_more` when much was scanned. Those of removed endpoints are listed too.
         */
        get: operations["listDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/endpoints/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List deliveries of an endpoint
         * @description The newest event first, and of one event the endpoint first that was made last. Events that an endpoint has not come to yet are not listed. Records are kept as long as their events. A page may be short or empty with `has_more` when much was scanned.
         */
        get: operations["listEndpointDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List deliveries of an event
         * @description One for each endpoint that has come to it, the endpoint first that was made last; those that were removed since are listed too.
         */
        get: operations["listEventDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/deliveries/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a delivery with its attempts */
        get: operations["getDelivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events/{id}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tell what happened to an event
         * @description From its append to every attempt at each endpoint, with what came of it in words. On the page are endpoints that have come to the event and those that match it, the endpoint first that was made last. Attempts that only probed whether an endpoint is back are not recorded. A page may be short or empty with `has_more` when much was scanned.
         */
        get: operations["getEventTimeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/receipts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the receipts of an event
         * @description What each endpoint's consumer has said of it last, also by a cursor beyond it; the oldest endpoint first.
         */
        get: operations["listReceipts"];
        put?: never;
        /**
         * Say that events were processed, or have failed
         * @description What was processed is not pushed any more: its retry ends, a dead letter is settled, and through a cursor the endpoint's position moves there. What has failed is pushed again by the endpoint's schedule, also when its receiver had accepted it; what was processed stays so. A push that is under way ends as it may and changes nothing. All of it can be repeated.
         */
        post: operations["sendReceipt"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/deliveries/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a delivery again
         * @description Whatever became of it. Each event is sent once more, in the order of the log, with the same bytes and the header `tidegate-replay`; what is live goes first. A paused endpoint, or an open circuit, keeps a replay waiting. What retention takes before its turn is passed over.
         */
        post: operations["replayDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/endpoints/{id}/replays": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make many of an endpoint's deliveries again
         * @description Each event is sent once more, in the order of the log, with the same bytes and the header `tidegate-replay`; what is live goes first. A paused endpoint, or an open circuit, keeps a replay waiting. What retention takes before its turn is passed over. The range is fixed when it is asked for: what the endpoint has not come to by then is not in it, and is pushed anyway.
         */
        post: operations["createReplay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/replays": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List replays, the newest first
         * @description Those that are over are kept as long as events are.
         */
        get: operations["listReplays"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/replays/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a replay */
        get: operations["getReplay"];
        put?: never;
        post?: never;
        /**
         * Cancel a replay
         * @description Nothing more is sent for it; what has been stays sent, and attempts under way are still told. It can still be read. One that is over already stays what it is.
         */
        delete: operations["cancelReplay"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/stats/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show how deliveries went over time
         * @description Attempts by when they ended, with how long they waited and how long they took. What was counted comes in within some ten seconds. These are statistics: what a process had not written when it was killed is missing, while deliveries themselves are never lost. Operators that name no tenant see all of them together.
         */
        get: operations["getDeliveryStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Receive events as they are appended, as server-sent events
         * @description Blocks of `data: <event>` and `id: <cursor>`. Every 15 s comes a comment or, when events were passed over that do not match, `event: cursor`. After about 5 minutes the stream ends, and the client connects again with `Last-Event-ID`, which wins over `cursor` and `from`. Once it has begun, an error is told as `event: problem`, and the stream ends. A ticket opens one stream within 60 s, and reconnects it with a `Last-Event-ID` that the stream has told, which has to be a later one than a `cursor` of the query.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/stats/undelivered": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count what was not delivered
         * @description Of the events that were appended in the window, all that endpoints which they match have not got, at one moment. For each endpoint an event is delivered, settled by a receipt, skipped by a resume, or else counted here, once. Operators see one tenant, or all.
         */
        get: operations["getUndelivered"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find things of any tenant
         * @description By the exact id of an event, delivery, endpoint, replay or key, or the uuid by which logs call a tenant. Any other text is looked for, as it is and in either case, in names of tenants, URLs of endpoints, names of consumers and event types: of each kind the closest first. Events are found by their id alone. What a tenant that is being erased had is not.
         */
        get: operations["search"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tenants/{tenant}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a tenant */
        get: operations["getTenant"];
        /**
         * Create or replace a tenant
         * @description Answers 201 when it creates the tenant and 200 when there is one already. Without `operational_events` those stay as they are: the tenant may have chosen them.
         */
        put: operations["putTenant"];
        post?: never;
        /**
         * Erase a tenant
         * @description Nobody can use the tenant from now on, and what it has is deleted piece by piece. `GET /tenants/{tenant}` shows how far that is; it answers 404 when all is gone, and then a new tenant may have the name. Repeating the request shows the same erasure.
         */
        delete: operations["deleteTenant"];
        options?: never;
        head?: never;
        /**
         * Change a tenant
         * @description A merge-patch: a limit that is null is none, and so are all if `limits` is.
         */
        patch: operations["patchTenant"];
        trace?: never;
    };
    "/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List tenants by name */
        get: operations["listTenants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a tenant's limits and what it uses of them */
        get: operations["getLimits"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/operational-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show which operational events a tenant's feed gets */
        get: operations["getOperationalEvents"];
        /**
         * Choose which operational events a tenant's feed gets
         * @description They are events of the feed like any other: whoever reads or is pushed all of it gets them too. What happened before is not told.
         */
        put: operations["putOperationalEvents"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List keys, the oldest first
         * @description An operator that names no tenant gets the operator keys.
         */
        get: operations["listKeys"];
        put?: never;
        /** Create a key */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys/current": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show whose key this request carries, and what it may do */
        get: operations["getCurrentKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a key
         * @description It is refused within 5 seconds everywhere. The configured operator key becomes valid again when a process starts with it.
         */
        delete: operations["deleteKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/portal-links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a link that opens the portal of a tenant
         * @description For a platform's customers, who have no key: send the browser there when a customer asks for it. The link may do all that a key with the scope `manage` may, until it expires; what follows its `#` is in no request and no log. Revoking the key ends the links that it made, and those that were made with them; keys that were made with them are keys like others, and stay until they are revoked or expire.
         */
        post: operations["createPortalLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tickets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a ticket, with which a browser opens a stream
         * @description A browser can send no key with an `EventSource`, and should have none. The ticket opens one stream of these events within 60 s; with a `Last-Event-ID` of that stream it reconnects it until it expires. Revoking the key ends its tickets and their streams.
         */
        post: operations["createTicket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List endpoints, the oldest first */
        get: operations["listEndpoints"];
        put?: never;
        /**
         * Create an endpoint
         * @description Events are pushed from its `start` on: by default those appended after the answer. The answer holds the secret that verifies them.
         */
        post: operations["createEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/endpoints/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show an endpoint */
        get: operations["getEndpoint"];
        put?: never;
        post?: never;
        /**
         * Remove an endpoint
         * @description Nothing more is pushed to it. What became of its deliveries can still be read.
         */
        delete: operations["deleteEndpoint"];
        options?: never;
        head?: never;
        /**
         * Change an endpoint
         * @description A merge-patch: what is left out stays, and null takes a setting back to its default; in `headers` and `metadata` that holds for each member. Attempts under way may be repeated.
         */
        patch: operations["patchEndpoint"];
        trace?: never;
    };
    "/endpoints/{id}/secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the secret that verifies an endpoint's pushes */
        get: operations["getEndpointSecret"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/endpoints/{id}/rotate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give an endpoint a new secret
         * @description The new one signs at once. During the overlap pushes carry a signature by each secret that is in force, at most five: receivers accept a push if any of them is right, so the new secret can be put into place without losing one. Attempts under way may be repeated.
         */
        post: operations["rotateEndpointSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/endpoints/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop pushing to an endpoint for a while
         * @description Its position stays, so that it continues there when it is resumed. What has been sent already is still recorded.
         */
        post: operations["pauseEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/endpoints/{id}/poll": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop pushing to an endpoint because its consumer polls
         * @description The same as a pause, for whoever reads `…/missed`, or `GET /events`, instead. To be pushed to again after what was read, resume from its cursor.
         */
        post: operations["pollEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/endpoints/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Push to an endpoint again
         * @description Whatever its status was: it is active, and an open circuit is probed at once. From its `position` nothing is lost. From `latest` or a cursor everything after that place is pushed, also what was pushed before; of what lies before, deliveries that were to be retried are `skipped`, and nothing is pushed any more. Attempts under way may be repeated.
         */
        post: operations["resumeEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/endpoints/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Push a test event to an endpoint
         * @description One signed push of type `tidegate.test` that stands in no log: its sequence is zero, and no cursor comes with it. Whatever the endpoint's status is, it is sent once and changes nothing. The answer is 200 however the receiver takes it, and says how.
         */
        post: operations["testEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/consumers/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a consumer, and how far behind it is */
        get: operations["getConsumer"];
        /**
         * Create a consumer, or change what it wants
         * @description What is left out of `types` and `subjects` is taken for all. One that is there stays where it is, and `start` is not looked at.
         */
        put: operations["putConsumer"];
        post?: never;
        /**
         * Remove a consumer
         * @description Its place is forgotten; the events stay.
         */
        delete: operations["deleteConsumer"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/consumers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List consumers by name */
        get: operations["listConsumers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/consumers/{name}/seek": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Put a consumer elsewhere in the log
         * @description Forwards or backwards: everything after that place is handed out, also what was before. Pages that were handed out before the answer can no longer be acknowledged, as far as they lie beyond.
         */
        post: operations["seekConsumer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/event-types/{type}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show an event type */
        get: operations["getEventType"];
        /**
         * Register or replace an event type
         * @description From the answer on, events of this type are appended only if their `data` fits the schema; on other gateways of the installation within two seconds. Patterns are run on all data: mind those that backtrack. Events of types that nobody registered are taken.
         */
        put: operations["putEventType"];
        post?: never;
        /**
         * Remove an event type
         * @description Events of this type are then taken with any data.
         */
        delete: operations["deleteEventType"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/event-types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List event types by name
         * @description A page of large schemas is shorter than its limit.
         */
        get: operations["listEventTypes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/portal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The portal, for browsers
         * @description All paths below it are the page's as well, so that each view has an address. `POST /portal-links` makes links that open it for a tenant.
         */
        get: operations["getPortal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show how the gateway as a whole stands
         * @description Health, processes, shards, housekeeping, failing endpoints, replays and storage. Counts are exact but for those that are called estimates. Every process has it, also one that only pushes. Those of others that do not push are in no table, so they are not told.
         */
        get: operations["getSystem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process is alive */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the process can serve
         * @description What is degraded is named without failing the check: delivery goes on. 503 without the database, and while the process drains.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the process measures, in the text format of Prometheus
         * @description Where `TIDEGATE_METRICS_ADDRESS` is set it is served there, without a key, and not here.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document as JSON */
        get: operations["getOpenApiJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.yaml": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document as YAML */
        get: operations["getOpenApiYaml"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        NewEvent: {
            /** @description The tenant, for operator keys */
            tenant?: string;
            type: string;
            /** @description Any JSON value of up to 1 MiB, kept as it is written */
            data: unknown;
            /** @description A URI reference; /tenants/{tenant} unless given */
            source?: string;
            subject?: string;
            /**
             * Format: date-time
             * @description When it happened; the append time unless given
             */
            time?: string;
            dataversion?: string;
            /** @description Deduplicates: an event with the same key is appended once within 24 hours */
            key?: string;
            /** @description The trace that it belongs to (W3C), in place of that of the request's header */
            traceparent?: string;
        };
        NewEvents: {
            events: components["schemas"]["NewEvent"][];
        };
        /** @description A CloudEvents 1.0 object. Extensions are kept; `tenant` names the tenant, for operator keys. */
        NewCloudEvent: {
            /** @constant */
            specversion: "1.0";
            /** @description Becomes the key */
            id: string;
            /** @description A URI reference */
            source: string;
            type: string;
            subject?: string;
            /** Format: date-time */
            time?: string;
            /** @description application/json unless given */
            datacontenttype?: string;
            data?: unknown;
            /** @description Instead of `data`: other bytes */
            data_base64?: string;
        } & {
            [key: string]: unknown;
        };
        ConsumerAck: {
            /** @description The tenant, for operator keys */
            tenant?: string;
            /** @description Of the last page of which all is processed */
            cursor: string;
        };
        NewReceipt: {
            /** @description The tenant, for operator keys */
            tenant?: string;
            /** @description Its id */
            endpoint: string;
            /** @description Kept with the delivery; at most 1 KiB. Of receipts with `through` within a minute the last one's */
            detail?: string | null;
            /** @description Their ids */
            events: string[];
            /** @enum {string} */
            status: "processed" | "failed";
        } | {
            /** @description The tenant, for operator keys */
            tenant?: string;
            /** @description Its id */
            endpoint: string;
            /** @description Kept with the delivery; at most 1 KiB. Of receipts with `through` within a minute the last one's */
            detail?: string | null;
            /** @description A cursor of a push, a page or a stream, whatever its filter: of all up to it */
            through: string;
            /**
             * @description Events that have failed are named
             * @constant
             */
            status: "processed";
        };
        NewReplay: {
            /**
             * @description `dead`: dead letters; `missing`: what was never delivered and will not be, also what the endpoint never came to; `all`: whatever was delivered or not
             * @enum {string}
             */
            status: "dead" | "missing" | "all";
            /**
             * Format: date-time
             * @description Only events that were appended then or later
             */
            since?: string;
            /**
             * Format: date-time
             * @description Only events that were appended before
             */
            until?: string;
            /** @description Only events after this cursor, of any reader */
            from?: string;
            /** @description Only events up to this cursor */
            through?: string;
            /** @description Of what the endpoint wants only these types, exact or `order.*` */
            types?: string[];
        };
        TenantSettings: {
            /** @description A name for people */
            name?: string | null;
            limits?: components["schemas"]["TenantLimitsPatch"];
            /** @description Types of operational events, or `tidegate.*`, `tidegate.endpoint.*` and so on for all below */
            operational_events?: ("tidegate.*" | "tidegate.endpoint.*" | "tidegate.delivery.*" | "tidegate.consumer.*" | "tidegate.endpoint.circuit_opened" | "tidegate.endpoint.circuit_closed" | "tidegate.endpoint.disabled" | "tidegate.delivery.dead_lettered" | "tidegate.delivery.expired" | "tidegate.consumer.falling_behind")[];
        };
        TenantLimitsPatch: {
            /** @description Events; of each process */
            appends_per_second?: number | null;
            /** @description Requests; of each process */
            reads_per_second?: number | null;
            /** @description Attempts; of each process */
            pushes_per_second?: number | null;
            /** @description Endpoints there may be. Lowering it removes none of those that there are */
            endpoints?: number | null;
        } | null;
        AskedOperationalEvents: {
            /** @description The tenant, for operator keys */
            tenant?: string;
            /** @description Types of operational events, or `tidegate.*`, `tidegate.endpoint.*` and so on for all below */
            types: ("tidegate.*" | "tidegate.endpoint.*" | "tidegate.delivery.*" | "tidegate.consumer.*" | "tidegate.endpoint.circuit_opened" | "tidegate.endpoint.circuit_closed" | "tidegate.endpoint.disabled" | "tidegate.delivery.dead_lettered" | "tidegate.delivery.expired" | "tidegate.consumer.falling_behind")[];
        };
        NewKey: {
            /** @description The tenant, for operator keys */
            tenant?: string;
            /** @description What the key may do: `receive` includes `read`, `manage` includes all of its tenant. `operator`, alone and without a tenant, makes another operator key. */
            scopes: ("append" | "read" | "receive" | "manage" | "operator")[];
            expires_at?: string | null;
            description?: string | null;
        };
        NewPortalLink: {
            /** @description The tenant, for operator keys */
            tenant?: string;
            /**
             * @description Until then it can be used; the key's own end may come before
             * @default 3600
             */
            ttl_seconds: number;
        };
        NewTicket: {
            /** @description The tenant, for operator keys */
            tenant?: string;
            /** @description Exact types, or `order.*`; null: all */
            types?: string[] | null;
            /** @description Exact subjects; null: all */
            subjects?: string[] | null;
            /**
             * @description Until then its stream can be reconnected; the key's own end may come before
             * @default 3600
             */
            ttl_seconds: number;
        };
        NewEndpoint: {
            /** @description The tenant, for operator keys */
            tenant?: string;
            /** @description http or https, without credentials and fragment */
            url: string;
            /** @description Exact types, or `order.*`; null: all */
            types?: string[] | null;
            /** @description Exact subjects; null: all */
            subjects?: string[] | null;
            description?: string | null;
            /** @description Notes of yours; a null member goes away */
            metadata?: {
                [key: string]: string | null;
            } | null;
            /** @description Added to every push; only the names are shown; a null member goes away */
            headers?: {
                [key: string]: string | null;
            } | null;
            /** @description From the connection to the end of the response; 5,000 unless given */
            timeout_ms?: number | null;
            /** @description Pushes that may be under way at once; 50 unless given */
            max_in_flight?: number | null;
            /** @description The delay before each retry; null: the gateway's schedule */
            retry_schedule?: string[] | null;
            /** @description Attempts; null: no limit */
            rate_per_second?: number | null;
            /** @description From the first attempt on: no retry is made later, whatever the schedule has left. At most a day less than events are kept; null: the schedule alone decides */
            give_up_after?: string | null;
            /** @description Whether events that died of an outage are tried once more when it is over; true unless given. Never where the order is kept */
            drain_dead_letters?: boolean | null;
            /** @description Whether an event that was accepted waits for a receipt (`POST /receipts`), and is pushed again by the next attempt when none comes; false unless given. Where the order is kept the events behind it wait too. What waits when it is set to false counts as delivered when its time is up */
            require_receipt?: boolean | null;
            /** @description How long an accepted event waits for its receipt; 300,000 unless given */
            receipt_timeout_ms?: number | null;
            /** @description parallel unless given. fifo: each event waits until the one before it is settled; subject: until the one of its subject before it is */
            ordering?: ("parallel" | "fifo" | "subject") | null;
            /** @description The media type of pushes; json unless given */
            format?: ("json" | "cloudevents") | null;
            /**
             * @description v1 (HMAC-SHA256) unless given, or v1a (Ed25519), with a public key to verify
             * @enum {string}
             */
            signature?: "v1" | "v1a";
            /** @description Standard Webhooks: `whsec_…` for v1, the private `whsk_…` for v1a; generated unless given */
            secret?: string;
            /** @description After all there is (the default), with the oldest event there is, after a cursor, or with the first event that was appended at a time or later */
            start?: ("latest" | "earliest") | {
                cursor: string;
            } | {
                /** Format: date-time */
                time: string;
            };
        };
        EndpointPatch: {
            /** @description http or https, without credentials and fragment */
            url?: string;
            /** @description Exact types, or `order.*`; null: all */
            types?: string[] | null;
            /** @description Exact subjects; null: all */
            subjects?: string[] | null;
            description?: string | null;
            /** @description Notes of yours; a null member goes away */
            metadata?: {
                [key: string]: string | null;
            } | null;
            /** @description Added to every push; only the names are shown; a null member goes away */
            headers?: {
                [key: string]: string | null;
            } | null;
            /** @description From the connection to the end of the response; 5,000 unless given */
            timeout_ms?: number | null;
            /** @description Pushes that may be under way at once; 50 unless given */
            max_in_flight?: number | null;
            /** @description The delay before each retry; null: the gateway's schedule */
            retry_schedule?: string[] | null;
            /** @description Attempts; null: no limit */
            rate_per_second?: number | null;
            /** @description From the first attempt on: no retry is made later, whatever the schedule has left. At most a day less than events are kept; null: the schedule alone decides */
            give_up_after?: string | null;
            /** @description Whether events that died of an outage are tried once more when it is over; true unless given. Never where the order is kept */
            drain_dead_letters?: boolean | null;
            /** @description Whether an event that was accepted waits for a receipt (`POST /receipts`), and is pushed again by the next attempt when none comes; false unless given. Where the order is kept the events behind it wait too. What waits when it is set to false counts as delivered when its time is up */
            require_receipt?: boolean | null;
            /** @description How long an accepted event waits for its receipt; 300,000 unless given */
            receipt_timeout_ms?: number | null;
            /** @description parallel unless given. fifo: each event waits until the one before it is settled; subject: until the one of its subject before it is */
            ordering?: ("parallel" | "fifo" | "subject") | null;
            /** @description The media type of pushes; json unless given */
            format?: ("json" | "cloudevents") | null;
        };
        SecretRotation: {
            /** @description How long the secrets before it sign too; a day unless given */
            overlap_seconds?: number;
            /** @description Standard Webhooks: `whsec_…` for v1, the private `whsk_…` for v1a; generated unless given */
            secret?: string;
            /**
             * @description Another kind; the same unless given
             * @enum {string}
             */
            signature?: "v1" | "v1a";
        };
        EndpointPause: {
            /** @description Shown as its `status_reason` */
            reason?: string;
        };
        EndpointResumption: {
            /** @description Where it goes on; its position unless given */
            from?: ("position" | "latest") | {
                cursor: string;
            };
        };
        ConsumerSettings: {
            /** @description The tenant, for operator keys */
            tenant?: string;
            /** @description Exact types, or `order.*`; null: all */
            types?: string[] | null;
            /** @description Exact subjects; null: all */
            subjects?: string[] | null;
            /** @description Where a new one starts: after all there is (the default), with the oldest event there is, after a cursor, or with the first event that was appended at a time or later */
            start?: ("latest" | "earliest") | {
                cursor: string;
            } | {
                /** Format: date-time */
                time: string;
            };
        };
        ConsumerSeek: {
            /** @description The tenant, for operator keys */
            tenant?: string;
            /** @description Where it goes on, as `start` */
            from: ("latest" | "earliest") | {
                cursor: string;
            } | {
                /** Format: date-time */
                time: string;
            };
        };
        EventTypeSettings: {
            description?: string | null;
            /** @description JSON Schema 2020-12 of `data`, of up to 256 KiB and 1,000 subschemas; null accepts anything. `format` is checked, unknown keywords are not. References lead within the schema. */
            schema?: ({
                [key: string]: unknown;
            } | boolean) | null;
        };
        Appended: {
            id: string;
            tenant: string;
            sequence: string;
            /** @description Continues right after this event, for any filter */
            cursor: string;
            duplicate: boolean;
        };
        AppendResults: {
            /** @description One per event, in their order */
            results: (components["schemas"]["AppendedItem"] | components["schemas"]["RefusedItem"])[];
        };
        AppendedItem: {
            /** @description 200: a repetition */
            status: 201 | 200;
            id: string;
            sequence: string;
            /** @description With `?cursors=true` */
            cursor?: string;
        };
        RefusedItem: {
            status: number;
            problem: components["schemas"]["Problem"];
        };
        UnknownParameterProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/unknown-parameter";
            title: string;
            /** @constant */
            status: 400;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description Its name */
            parameter?: string;
        } & {
            [key: string]: unknown;
        };
        DuplicateParameterProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/duplicate-parameter";
            title: string;
            /** @constant */
            status: 400;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description Its name */
            parameter?: string;
        } & {
            [key: string]: unknown;
        };
        InvalidParameterProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/invalid-parameter";
            title: string;
            /** @constant */
            status: 400;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description Its name */
            parameter?: string;
        } & {
            [key: string]: unknown;
        };
        MalformedJsonProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/malformed-json";
            title: string;
            /** @constant */
            status: 400;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        TenantRequiredProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/tenant-required";
            title: string;
            /** @constant */
            status: 400;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description Its name */
            parameter?: string;
        } & {
            [key: string]: unknown;
        };
        InvalidHeaderProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/invalid-header";
            title: string;
            /** @constant */
            status: 400;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        UnauthorizedProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/unauthorized";
            title: string;
            /** @constant */
            status: 401;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        ScopeMissingProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/scope-missing";
            title: string;
            /** @constant */
            status: 403;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description The scope that is missing */
            scope: string;
        } & {
            [key: string]: unknown;
        };
        UnknownTenantProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/unknown-tenant";
            title: string;
            /** @constant */
            status: 404;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        RequestTimeoutProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/request-timeout";
            title: string;
            /** @constant */
            status: 408;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        TenantErasingProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/tenant-erasing";
            title: string;
            /** @constant */
            status: 409;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        PayloadTooLargeProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/payload-too-large";
            title: string;
            /** @constant */
            status: 413;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description What would have been taken */
            limit_bytes?: number;
        } & {
            [key: string]: unknown;
        };
        UnsupportedMediaTypeProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/unsupported-media-type";
            title: string;
            /** @constant */
            status: 415;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        InvalidProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/invalid";
            title: string;
            /** @constant */
            status: 422;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description What is at fault in the body */
            errors: components["schemas"]["Fault"][];
        } & {
            [key: string]: unknown;
        };
        Fault: {
            /** @description A JSON pointer */
            pointer: string;
            detail: string;
        };
        IdempotencyConflictProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/idempotency-conflict";
            title: string;
            /** @constant */
            status: 422;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        QuotaExceededProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/quota-exceeded";
            title: string;
            /** @constant */
            status: 429;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description The limit's name */
            limit: string;
            /** @description How high it is */
            value: number;
        } & {
            [key: string]: unknown;
        };
        InternalErrorProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/internal-error";
            title: string;
            /** @constant */
            status: 500;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description Found in the gateway's log */
            id: string;
        } & {
            [key: string]: unknown;
        };
        UnavailableProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/unavailable";
            title: string;
            /** @constant */
            status: 503;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        EventPage: {
            events: components["schemas"]["Event"][];
            /** @description Continues after all that was scanned */
            cursor: string;
            has_more: boolean;
        };
        /** @description A CloudEvents 1.0 object; extensions are members of it */
        Event: {
            /** @constant */
            specversion: "1.0";
            id: string;
            source: string;
            type: string;
            /**
             * Format: date-time
             * @description When it happened; the append time unless given
             */
            time: string;
            subject?: string;
            /** @description The media type of the data */
            datacontenttype: string;
            dataversion: string;
            tenant: string;
            /** @description Dense per tenant */
            sequence: string;
            /** @description As it was appended, token by token; an event may have none */
            data?: unknown;
            /** @description In place of `data`, where that is neither JSON nor text */
            data_base64?: string;
        } & {
            [key: string]: unknown;
        };
        CursorInvalidProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/cursor-invalid";
            title: string;
            /** @constant */
            status: 400;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        CursorFilterMismatchProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/cursor-filter-mismatch";
            title: string;
            /** @constant */
            status: 400;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        NotFoundProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/not-found";
            title: string;
            /** @constant */
            status: 404;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        CursorExpiredProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/cursor-expired";
            title: string;
            /** @constant */
            status: 410;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description How many events after the cursor have expired */
            lost: number;
            /** @description Starts with the oldest event there is */
            oldest_cursor: string;
            /** @description Starts after the newest event there is */
            latest_cursor: string;
        } & {
            [key: string]: unknown;
        };
        CursorAheadProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/cursor-ahead";
            title: string;
            /** @constant */
            status: 410;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description Starts with the oldest event there is */
            oldest_cursor: string;
            /** @description Starts after the newest event there is */
            latest_cursor: string;
        } & {
            [key: string]: unknown;
        };
        FeedResetProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/feed-reset";
            title: string;
            /** @constant */
            status: 410;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description Starts with the oldest event there is */
            oldest_cursor: string;
            /** @description Starts after the newest event there is */
            latest_cursor: string;
        } & {
            [key: string]: unknown;
        };
        ConsumerPosition: {
            /** @description The sequence up to which all is acknowledged */
            position: string;
        };
        AckAheadProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/ack-ahead";
            title: string;
            /** @constant */
            status: 422;
            /** @description About this occurrence, for people */
            detail?: string;
            /** @description The sequence up to which it was handed out */
            handed_out: string;
        } & {
            [key: string]: unknown;
        };
        DeliveryPage: {
            deliveries: components["schemas"]["Delivery"][];
            /** @description Continues after the last item */
            cursor: string | null;
            has_more: boolean;
        };
        Delivery: {
            id: string;
            /** @description Its id; the endpoint may have been removed */
            endpoint: string;
            event: {
                id: string;
                type: string;
                sequence: string;
            };
            /** @enum {string} */
            status: "delivered" | "retrying" | "dead" | "awaiting_receipt" | "settled" | "expired" | "skipped";
            /** @description Made so far */
            attempts: number;
            first_attempt_at: string | null;
            last_attempt_at: string | null;
            /** @description When it is due again, if it is; a paused endpoint keeps it waiting */
            next_attempt_at: string | null;
            last_status_code: number | null;
            last_error: string | null;
            /** @description What its consumer has said of the event last: `processed` or `failed` */
            receipt: {
                status: string;
                detail: string | null;
                /** Format: date-time */
                at: string;
            } | null;
        };
        DeliveryWithAttempts: {
            id: string;
            /** @description Its id; the endpoint may have been removed */
            endpoint: string;
            event: {
                id: string;
                type: string;
                sequence: string;
            };
            /** @enum {string} */
            status: "delivered" | "retrying" | "dead" | "awaiting_receipt" | "settled" | "expired" | "skipped";
            /** @description Made so far */
            attempts: number;
            first_attempt_at: string | null;
            last_attempt_at: string | null;
            /** @description When it is due again, if it is; a paused endpoint keeps it waiting */
            next_attempt_at: string | null;
            last_status_code: number | null;
            last_error: string | null;
            /** @description What its consumer has said of the event last: `processed` or `failed` */
            receipt: {
                status: string;
                detail: string | null;
                /** Format: date-time */
                at: string;
            } | null;
            /** @description Oldest first */
            attempt_log: components["schemas"]["Attempt"][];
        };
        Attempt: {
            attempt: number;
            /**
             * @description Why it was made: the event came, it was due again, to see whether an endpoint that was down is back, as a dead letter of such a time when it was over, or by a replay
             * @enum {string}
             */
            trigger: "event" | "retry" | "probe" | "drain" | "replay";
            /** @description The id of the replay that made it */
            replay: string | null;
            /** Format: date-time */
            at: string;
            /** @description From when it could be made to when it was */
            queue_ms: number;
            /** @description From its start to its outcome */
            latency_ms: number;
            status_code: number | null;
            error: {
                class: string;
                message: string;
            } | null;
            /** @description What was sent, as far as it is known. Secrets are redacted. The endpoint's own headers and the media type are those of now, and after a first attempt that succeeded the URL too; null when it is not known any more */
            request: {
                url: string;
                headers: {
                    [key: string]: string;
                };
            } | null;
            /** @description What came back, if anything did, with the first 4 KiB of the body as text; not kept of a first attempt that succeeded. Secrets are redacted */
            response: {
                headers: {
                    [key: string]: string | string[];
                };
                body: string;
                truncated: boolean;
            } | null;
        };
        Timeline: {
            event: {
                id: string;
                type: string;
                sequence: string;
                tenant: string;
                /** Format: date-time */
                appended_at: string;
                /**
                 * Format: date-time
                 * @description When it happened, as its producer told
                 */
                time: string;
                /** @description The id of its trace, if it has one */
                trace: string | null;
            };
            /** @description What happened, in the order of time; of the endpoints on this page */
            entries: components["schemas"]["TimelineEntry"][];
            endpoints: components["schemas"]["TimelineEndpoint"][];
            /** @description How many endpoints of the tenant have a filter, as it is now, that leaves the event out */
            not_matched: number;
            /** @description Continues after the last endpoint */
            cursor: string | null;
            has_more: boolean;
        };
        TimelineEntry: {
            /** Format: date-time */
            at: string;
            /** @constant */
            kind: "appended";
            sequence: string;
            type: string;
        } | {
            /** Format: date-time */
            at: string;
            /** @description Its id */
            endpoint: string;
            /** @constant */
            kind: "replay";
            /** @description The replay's id */
            replay: string;
            /**
             * @description What the job sends
             * @enum {string}
             */
            which: "dead" | "missing" | "all";
            /** @description Whether it has sent this event */
            sent: boolean;
            /** @description The id of the key that asked */
            requested_by: string | null;
        } | {
            /** Format: date-time */
            at: string;
            /** @description Its id */
            endpoint: string;
            /** @constant */
            kind: "queued";
            /** @description How long after the append the endpoint's queue had it */
            after_append_ms: number;
        } | {
            /** Format: date-time */
            at: string;
            /** @description Its id */
            endpoint: string;
            /** @constant */
            kind: "attempt";
            attempt: number;
            /** @enum {string} */
            trigger: "event" | "retry" | "probe" | "drain" | "replay";
            replay: string | null;
            queue_ms: number;
            latency_ms: number;
            status_code: number | null;
            error: {
                class: string;
                message: string;
            } | null;
        } | {
            /** Format: date-time */
            at: string;
            /** @description Its id */
            endpoint: string;
            /** @constant */
            kind: "retry_scheduled";
            /** @description The number of the attempt that is planned */
            attempt: number;
            /**
             * Format: date-time
             * @description When it is due; of one that was made, when its turn had come
             */
            due_at: string;
        } | {
            /** Format: date-time */
            at: string;
            /** @description Its id */
            endpoint: string;
            /** @constant */
            kind: "receipt";
            /** @enum {string} */
            status: "processed" | "failed";
            detail: string | null;
        } | {
            /** Format: date-time */
            at: string;
            /** @description Its id */
            endpoint: string;
            /** @constant */
            kind: "settled";
            detail: string | null;
        } | {
            /** Format: date-time */
            at: string;
            /** @description Its id */
            endpoint: string;
            /** @constant */
            kind: "dead_lettered";
            detail: string | null;
        } | {
            /** Format: date-time */
            at: string;
            /** @description Its id */
            endpoint: string;
            /** @constant */
            kind: "expired";
            detail: string | null;
        } | {
            /** Format: date-time */
            at: string;
            /** @description Its id */
            endpoint: string;
            /** @constant */
            kind: "skipped";
            detail: string | null;
        };
        TimelineEndpoint: {
            id: string;
            /** @description Null when the endpoint was removed */
            url: string | null;
            /**
             * @description How the event stands there now: as in its delivery, or `waiting` when the endpoint has not come to it or is behind with its subject, or `not_matched` when the endpoint has passed it without sending it
             * @enum {string}
             */
            status: "delivered" | "settled" | "skipped" | "dead" | "expired" | "retrying" | "awaiting_receipt" | "waiting" | "not_matched";
            /** @description The id of its delivery, which has each request and response; null before one */
            delivery: string | null;
            /** @description Made so far */
            attempts: number;
            /** @description How many of them are not among the entries: the oldest, where they are many, and a first one that was accepted before the consumer asked by a receipt for another */
            attempts_omitted: number;
            next_attempt_at: string | null;
            /** @description What keeps it from being sent: the endpoint's status or its circuit, an earlier event of its subject, or the events before it (`order`): they come first, or hold it up where the endpoint keeps the order */
            waits_for: ("paused" | "polling" | "disabled" | "circuit" | "subject" | "order") | null;
            /** @description The same in words, to be passed on; how it is worded may change */
            explanation: string;
        };
        ReceiptOfEvents: {
            results: {
                event: string;
                /**
                 * @description `settled`: it is not pushed any more. `unchanged`: it was settled or dead before. `retrying`, `dead`: pushed again by the endpoint's schedule, or that is over. `waiting`: not pushed yet; its turn comes, and a push of it that is under way is repeated. `unmatched`: not for this endpoint. `unknown`: there is no such event
                 * @enum {string}
                 */
                outcome: "settled" | "unchanged" | "retrying" | "dead" | "waiting" | "unmatched" | "unknown";
            }[];
        };
        ReceiptThrough: {
            /** @description The endpoint's, which all up to is settled */
            position: string;
            /** @description Events that the position was moved over */
            passed: number;
            /** @description Deliveries that were retrying, dead, expired or skipped and are settled now */
            settled: number;
        };
        ReceiptPage: {
            receipts: components["schemas"]["Receipt"][];
            /** @description Continues after the last item */
            cursor: string | null;
            has_more: boolean;
        };
        Receipt: {
            endpoint: string;
            event: string;
            /** @enum {string} */
            status: "processed" | "failed";
            detail: string | null;
            /** Format: date-time */
            at: string;
        };
        Replay: {
            id: string;
            endpoint: string;
            /**
             * @description Which it sends
             * @enum {string}
             */
            deliveries: "dead" | "missing" | "all";
            types: string[] | null;
            since: string | null;
            until: string | null;
            /** @description Events after this sequence */
            after: string;
            /** @description And up to this one */
            through: string;
            /** @description All events up to this sequence are done */
            position: string;
            /** @enum {string} */
            status: "running" | "completed" | "cancelled";
            /** @description What keeps it from going on: the endpoint's status, or its open circuit */
            waiting_for: ("paused" | "polling" | "disabled" | "circuit") | null;
            /** @description Deliveries to send, where that is known; when it is completed, `sent` and `failed` */
            total: number | null;
            /** @description Accepted by the receiver */
            sent: number;
            /** @description Not accepted; their deliveries tell why */
            failed: number;
            /** Format: date-time */
            created_at: string;
            finished_at: string | null;
            /** @description The id of the key that asked for it, where that was kept */
            requested_by: string | null;
        };
        ReplayPage: {
            replays: components["schemas"]["Replay"][];
            /** @description Continues after the last item */
            cursor: string | null;
            has_more: boolean;
        };
        DeliverySeries: {
            /** @description What was asked for, in whole steps */
            window_seconds: number;
            step_seconds: number;
            /** Format: date-time */
            from: string;
            /**
             * Format: date-time
             * @description The end of the step that is running
             */
            to: string;
            /** @description Of the whole window */
            totals: {
                /** @description Attempts that ended, also those of replays and probes */
                count: number;
                /** @description Of these, those that the receiver did not accept */
                failures: number;
                /** @description Of these, those after the first of their delivery */
                retries: number;
                /** @description From when an attempt could be made to when it was */
                queue_ms: components["schemas"]["Percentiles"];
                /** @description From its start to its outcome */
                latency_ms: components["schemas"]["Percentiles"];
            };
            /** @description Each step of the window by its start, the oldest first */
            series: {
                /** Format: date-time */
                at: string;
                /** @description Attempts that ended, also those of replays and probes */
                count: number;
                /** @description Of these, those that the receiver did not accept */
                failures: number;
                /** @description Of these, those after the first of their delivery */
                retries: number;
                /** @description From when an attempt could be made to when it was */
                queue_ms: components["schemas"]["Percentiles"];
                /** @description From its start to its outcome */
                latency_ms: components["schemas"]["Percentiles"];
            }[];
        };
        /** @description Milliseconds that a half, 95 % and 99 % of the attempts did not exceed; null where there was none. Exact below 4 ms, and off by less than 42 % above */
        Percentiles: {
            p50: number | null;
            p95: number | null;
            p99: number | null;
        };
        Undelivered: {
            window_seconds: number;
            /** Format: date-time */
            as_of: string;
            /** @description False when there was not the time to look at all events that filters or blocked subjects may concern: then counts are lower bounds, and a shorter window may be exact */
            exact: boolean;
            /** @description Events that at least one endpoint that they match has not got, each once */
            undelivered: number;
            /** @description Unless `exact`: no more `deliveries` than this */
            at_most?: number;
            /** @description Pairs of an event and an endpoint: `retrying`, `dead` and `waiting` together */
            deliveries: number;
            /** @description They failed, and are tried again */
            retrying: number;
            /** @description Of those: accepted, and the receipt that the endpoint requires has not come */
            awaiting_receipt: number;
            /** @description They failed, and are not tried again */
            dead: number;
            /** @description Of those: the event was gone before it could be */
            expired: number;
            /** @description Not attempted yet: what lies beyond the endpoint's position, also while it is paused, polls or is disabled, and what blocked subjects hold */
            waiting: number;
            /** @description That have anything undelivered */
            endpoints_total: number;
            /** @description Those with the most first */
            endpoints: {
                id: string;
                tenant: string;
                url: string;
                /** @enum {string} */
                status: "active" | "paused" | "polling" | "disabled";
                /** @enum {string} */
                circuit: "closed" | "open" | "half_open";
                /** @description Pairs of an event and an endpoint: `retrying`, `dead` and `waiting` together */
                deliveries: number;
                /** @description They failed, and are tried again */
                retrying: number;
                /** @description Of those: accepted, and the receipt that the endpoint requires has not come */
                awaiting_receipt: number;
                /** @description They failed, and are not tried again */
                dead: number;
                /** @description Of those: the event was gone before it could be */
                expired: number;
                /** @description Not attempted yet: what lies beyond the endpoint's position, also while it is paused, polls or is disabled, and what blocked subjects hold */
                waiting: number;
                exact: boolean;
                /** @description When its oldest undelivered event of the window was appended */
                oldest_at: string | null;
            }[];
        };
        SearchResult: {
            hits: {
                /** @enum {string} */
                kind: "tenant" | "endpoint" | "consumer" | "event_type" | "event" | "delivery" | "replay" | "key";
                /** @description A generated id, or a name */
                id: string;
                /** @description Null for what is of no tenant */
                tenant: string | null;
                /** @description A line about it, for people */
                text: string;
                /** @description Where the API has it; of a key, the list it stands in */
                path: string;
            }[];
            /** @description Of these there are more than `limit` */
            more: ("tenant" | "endpoint" | "consumer" | "event_type" | "event" | "delivery" | "replay" | "key")[];
            /** @description There was not the time to look for these */
            incomplete: ("tenant" | "endpoint" | "consumer" | "event_type" | "event" | "delivery" | "replay" | "key")[];
        };
        Tenant: {
            /** @description The name requests call it by */
            tenant: string;
            /** @description A name for people */
            name: string | null;
            limits: components["schemas"]["TenantLimits"];
            /** @description Which operational events the tenant's feed gets, as a type filter; none if empty */
            operational_events: string[];
            endpoints: components["schemas"]["EndpointSummary"];
            /** @enum {string} */
            status: "active" | "erasing";
            erasure: components["schemas"]["Erasure"] | null;
            /** Format: date-time */
            created_at: string;
        };
        /** @description What the tenant may do at most; null is no limit */
        TenantLimits: {
            /** @description Events; of each process */
            appends_per_second: number | null;
            /** @description Requests; of each process */
            reads_per_second: number | null;
            /** @description Attempts; of each process */
            pushes_per_second: number | null;
            /** @description Endpoints there may be. Lowering it removes none of those that there are */
            endpoints: number | null;
        };
        /** @description How many endpoints there are, and how they stand */
        EndpointSummary: {
            total: number;
            active: number;
            paused: number;
            polling: number;
            disabled: number;
            /** @description Of all endpoints, whatever their status is */
            circuits: {
                closed: number;
                open: number;
                half_open: number;
            };
        };
        /** @description How far the erasure of a tenant has come */
        Erasure: {
            tenant: string;
            /** @constant */
            status: "running";
            /** Format: date-time */
            started_at: string;
            events: {
                /** @description That there were when it began */
                total: number;
                erased: number;
            };
            /** @description Of deliveries, keys and all else */
            rows_erased: number;
        };
        TenantPage: {
            tenants: components["schemas"]["Tenant"][];
            /** @description Continues after the last item */
            cursor: string | null;
            has_more: boolean;
        };
        LimitsInUse: {
            tenant: string;
            limits: components["schemas"]["TenantLimits"];
            use: {
                /** @description Endpoints there are */
                endpoints: number;
                /** @description What is left this second in this process; null without a limit */
                appends: {
                    limit: number;
                    remaining: number;
                } | null;
                /** @description What is left this second in this process; null without a limit */
                reads: {
                    limit: number;
                    remaining: number;
                } | null;
            };
            endpoints: components["schemas"]["EndpointSummary"];
        };
        OperationalEvents: {
            tenant: string;
            /** @description Which operational events the tenant's feed gets, as a type filter; none if empty */
            types: string[];
            /** @description All that can be asked for */
            available: {
                type: string;
                description: string;
            }[];
        };
        CreatedKey: {
            /** @description The key's id */
            id: string;
            /** @description Null for an operator key */
            tenant: string | null;
            scopes: ("append" | "read" | "receive" | "manage" | "operator")[];
            description: string | null;
            /** Format: date-time */
            created_at: string;
            expires_at: string | null;
            /** @description Shown this once; only its hash is kept */
            key: string;
        };
        KeyPage: {
            keys: components["schemas"]["Key"][];
            /** @description Continues after the last item */
            cursor: string | null;
            has_more: boolean;
        };
        Key: {
            /** @description The key's id */
            id: string;
            /** @description Null for an operator key */
            tenant: string | null;
            scopes: ("append" | "read" | "receive" | "manage" | "operator")[];
            description: string | null;
            /** Format: date-time */
            created_at: string;
            expires_at: string | null;
        };
        CurrentKey: {
            /** @description The key's id */
            id: string;
            /** @description Null for an operator key */
            tenant: string | null;
            scopes: ("append" | "read" | "receive" | "manage" | "operator")[];
            expires_at: string | null;
        };
        PortalLink: {
            /** @description For the customer's browser; shown this once. Whoever has it has the tenant */
            url: string;
            /** Format: date-time */
            expires_at: string;
        };
        Ticket: {
            /** @description For `GET /events/stream?ticket=`; shown this once */
            ticket: string;
            /** Format: date-time */
            expires_at: string;
        };
        CreatedEndpoint: {
            /** @description The endpoint's id */
            id: string;
            tenant: string;
            /** @description http or https, without credentials and fragment */
            url: string;
            types: string[] | null;
            subjects: string[] | null;
            description: string | null;
            metadata: {
                [key: string]: string;
            };
            /** @description Of the headers added to every push */
            header_names: string[];
            timeout_ms: number;
            max_in_flight: number;
            rate_per_second: number | null;
            retry_schedule: string[] | null;
            give_up_after: string | null;
            drain_dead_letters: boolean;
            require_receipt: boolean;
            receipt_timeout_ms: number;
            /** @enum {string} */
            ordering: "parallel" | "fifo" | "subject";
            /**
             * @description The kind of the newest secret
             * @enum {string}
             */
            signature: "v1" | "v1a";
            /** @enum {string} */
            format: "json" | "cloudevents";
            /** @enum {string} */
            status: "active" | "paused" | "polling" | "disabled";
            status_reason: string | null;
            /** @description While it is open only probes are sent, and no event loses an attempt */
            circuit: {
                /** @enum {string} */
                state: "closed" | "open" | "half_open";
                since: string | null;
                next_probe_at: string | null;
            };
            /** @description The sequence up to which all is settled */
            position: string;
            /** @description What follows the position: how much, and how old the first of it is */
            lag: {
                events: number;
                seconds: number;
            };
            /** @description Attempts under way, as of the last outcome */
            in_flight: number;
            retrying: number;
            dead: number;
            last_success_at: string | null;
            last_failure: {
                /** Format: date-time */
                at: string;
                error: string;
            } | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            /** @description `whsec_…` for v1; for v1a the public key, `whpk_…` */
            secret: string;
        };
        AddressNotAllowedProblem: {
            /** @constant */
            type: "https://tidegate.dev/problems/address-not-allowed";
            title: string;
            /** @constant */
            status: 422;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
        EndpointPage: {
            endpoints: components["schemas"]["Endpoint"][];
            /** @description Continues after the last item */
            cursor: string | null;
            has_more: boolean;
        };
        Endpoint: {
            /** @description The endpoint's id */
            id: string;
            tenant: string;
            /** @description http or https, without credentials and fragment */
            url: string;
            types: string[] | null;
            subjects: string[] | null;
            description: string | null;
            metadata: {
                [key: string]: string;
            };
            /** @description Of the headers added to every push */
            header_names: string[];
            timeout_ms: number;
            max_in_flight: number;
            rate_per_second: number | null;
            retry_schedule: string[] | null;
            give_up_after: string | null;
            drain_dead_letters: boolean;
            require_receipt: boolean;
            receipt_timeout_ms: number;
            /** @enum {string} */
            ordering: "parallel" | "fifo" | "subject";
            /**
             * @description The kind of the newest secret
             * @enum {string}
             */
            signature: "v1" | "v1a";
            /** @enum {string} */
            format: "json" | "cloudevents";
            /** @enum {string} */
            status: "active" | "paused" | "polling" | "disabled";
            status_reason: string | null;
            /** @description While it is open only probes are sent, and no event loses an attempt */
            circuit: {
                /** @enum {string} */
                state: "closed" | "open" | "half_open";
                since: string | null;
                next_probe_at: string | null;
            };
            /** @description The sequence up to which all is settled */
            position: string;
            /** @description What follows the position: how much, and how old the first of it is */
            lag: {
                events: number;
                seconds: number;
            };
            /** @description Attempts under way, as of the last outcome */
            in_flight: number;
            retrying: number;
            dead: number;
            last_success_at: string | null;
            last_failure: {
                /** Format: date-time */
                at: string;
                error: string;
            } | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        EndpointSecret: {
            /** @description `whsec_…` for v1; for v1a the public key, `whpk_…` */
            secret: string;
            /** @description Until then a secret before it signs too; null when it signs alone */
            previous_expires_at: string | null;
        };
        RotatedSecret: {
            /** @description `whsec_…` for v1; for v1a the public key, `whpk_…` */
            secret: string;
            /** @enum {string} */
            signature: "v1" | "v1a";
            /**
             * Format: date-time
             * @description From then on no secret before the new one signs
             */
            previous_expires_at: string;
        };
        TestedPush: {
            delivered: boolean;
            attempt: {
                /** Format: date-time */
                at: string;
                latency_ms: number;
                status_code: number | null;
                /** @description Why it was not delivered */
                error: {
                    class: string;
                    message: string;
                } | null;
                request: {
                    url: string;
                    /** @description Values of your own, and signatures, are left out */
                    headers: {
                        [key: string]: string;
                    };
                    body: string;
                };
                response: {
                    headers: {
                        [key: string]: string | string[];
                    };
                    /** @description Its first 4 KiB */
                    body: string;
                    truncated: boolean;
                } | null;
            };
        };
        Consumer: {
            /** @description The consumer's name */
            name: string;
            tenant: string;
            types: string[] | null;
            subjects: string[] | null;
            /** @description The sequence up to which all is acknowledged */
            position: string;
            /** @description The furthest that can be acknowledged */
            handed_out: string;
            /** @description What follows the position: how much, and how old the first of it is */
            lag: {
                events: number;
                seconds: number;
            };
            /** @description Events that expired before they were acknowledged; it reads on after a seek */
            lost: number;
            /** @description Until the first event after the position expires, whether it matches or not; null while there is none */
            retention_headroom_seconds: number | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        ConsumerPage: {
            consumers: components["schemas"]["Consumer"][];
            /** @description Continues after the last item */
            cursor: string | null;
            has_more: boolean;
        };
        EventType: {
            /** @description Words between dots */
            type: string;
            description: string | null;
            /** @description JSON Schema 2020-12 of `data`, of up to 256 KiB and 1,000 subschemas; null accepts anything. `format` is checked, unknown keywords are not. References lead within the schema. */
            schema: ({
                [key: string]: unknown;
            } | boolean) | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        EventTypePage: {
            event_types: components["schemas"]["EventType"][];
            /** @description Continues after the last item */
            cursor: string | null;
            has_more: boolean;
        };
        System: {
            /** Format: date-time */
            as_of: string;
            health: components["schemas"]["Readiness"];
            /** @description The one that answers: of others it knows what is in the database */
            process: {
                /** Format: uuid */
                id: string;
                version: string;
                roles: ("api" | "push")[];
                /** Format: date-time */
                started_at: string;
                uptime_seconds: number;
                /** @description Null without the role */
                push: {
                    shards_held: number;
                    in_flight: number;
                    slots: number;
                    /** @description What is large takes several */
                    slots_used: number;
                    replays_in_flight: number;
                    /** @description That the database has not taken yet */
                    outcomes_unwritten: number;
                    /** @description That it drives: lagging by more than 10 s; held by a circuit, a rate or a change */
                    endpoints: {
                        idle: number;
                        live: number;
                        lagging: number;
                        held: number;
                    };
                    /** @description Age of the oldest event that waits for a slot and not for its endpoint */
                    backlog_age_seconds: number;
                    /** @description That are due and loaded, at most 100 of an endpoint */
                    retries_due: number;
                } | null;
                /** @description Frames since the start. Those that get lost cost a second, no event */
                fanout: {
                    /** @enum {string} */
                    kind: "memory" | "nats";
                    /** @enum {string} */
                    state: "up" | "partial" | "reconnecting";
                    /** Format: date-time */
                    since: string;
                    carried: number;
                    dropped: number;
                    failed: number;
                    unreadable: number;
                };
            };
            /** @description Null when the database took too long for it */
            migrations: {
                applied: number;
                /** @description To the version of the process that answers */
                known: number;
                /** @description Null when a newer version made it */
                latest: string | null;
            } | null;
            /** @description Null when the database took too long for it */
            shards: {
                total: number;
                held: number;
                /** @description Nobody pushes for these */
                unheld: number;
            } | null;
            /** @description Null when the database took too long for it */
            push_processes: {
                /** Format: uuid */
                id: string;
                /** @description That it pushes for */
                shards: number[];
                /**
                 * Format: date-time
                 * @description Its leases; they run out four seconds later
                 */
                renewed_at: string;
                /** @description It ends, and gives back its shards */
                leaving: boolean;
            }[] | null;
            /** @description Null when the database took too long for it */
            housekeeping: {
                /** @description The process that does it for all; or null */
                kept_by: string | null;
                /** @description Whether that is the one that answers */
                here: boolean;
                /** @description As far as this process has done them: where another one keeps house, its `/system` tells */
                chores: {
                    name: string;
                    every_seconds: number;
                    last_outcome: ("done" | "failed") | null;
                    last_done_at: string | null;
                    last_duration_ms: number | null;
                    failing_since: string | null;
                    /** @description Since the process started */
                    failures: number;
                }[];
            } | null;
            /** @description Null when the database took too long for it */
            tenants: {
                total: number;
                erasing: number;
            } | null;
            /** @description Null when the database took too long for it */
            endpoints: {
                total: number;
                active: number;
                paused: number;
                polling: number;
                disabled: number;
                /** @description Active, with an open circuit or nothing but failures */
                failing: number;
                circuits: {
                    closed: number;
                    open: number;
                    half_open: number;
                };
                /** @description Of the failing, the first to have failed first */
                worst: {
                    id: string;
                    tenant: string;
                    url: string;
                    /** @description Without a circuit that has opened, `since` is null */
                    circuit: {
                        /** @enum {string} */
                        state: "closed" | "open" | "half_open";
                        since: string | null;
                        next_probe_at: string | null;
                    };
                    /** @description Nothing but failures has come since then */
                    failing_since: string | null;
                    last_failure: {
                        /** Format: date-time */
                        at: string;
                        error: string;
                    } | null;
                    /** @description Events of its tenant beyond its position, whether they match it or not */
                    behind: number;
                }[];
            } | null;
            /** @description Null when the database took too long for it */
            consumers: number | null;
            /** @description Null when the database took too long for it */
            replays: {
                running: number;
                /** @description Of those that are running */
                newest: {
                    id: string;
                    tenant: string;
                    endpoint: string;
                    /** @enum {string} */
                    deliveries: "dead" | "missing" | "all";
                    waiting_for: ("paused" | "polling" | "disabled" | "circuit") | null;
                    total: number | null;
                    sent: number;
                    failed: number;
                    /** Format: date-time */
                    created_at: string;
                }[];
            } | null;
            /** @description Null when the database took too long for it */
            storage: {
                /** @description Of the whole database */
                bytes: number;
                /** @description Of which events are kept */
                oldest_day: string | null;
                /** @description Failed deliveries that are tried again */
                retries_estimate: number;
                tables: {
                    table: string;
                    /** @description One a day, some of them of days to come */
                    partitions: number;
                    bytes: number;
                    /** @description From the server's statistics */
                    rows_estimate: number;
                }[];
            } | null;
        };
        Readiness: {
            /** @enum {string} */
            status: "ready" | "degraded" | "unavailable" | "draining";
            components: {
                [key: string]: string;
            };
            /** @description The components that are not `up`, and since when */
            degraded: {
                component: string;
                state: string;
                /**
                 * Format: date-time
                 * @description When this process noticed
                 */
                since: string;
                detail: string;
            }[];
        };
        /**
         * @description RFC 9457; some have further members. `type` ends with one of:
         *
         *     - `malformed-request` (400): The request is not valid HTTP
         *     - `malformed-json` (400): The body is not valid JSON
         *     - `unknown-parameter` (400): The query has a parameter this route does not know
         *     - `duplicate-parameter` (400): The query gives a parameter more than once
         *     - `invalid-parameter` (400): A parameter has a value it cannot have
         *     - `invalid-header` (400): A header has a value it cannot have here
         *     - `tenant-required` (400): The request must name its tenant
         *     - `cursor-invalid` (400): The cursor is not valid here
         *     - `cursor-filter-mismatch` (400): The cursor belongs to another filter
         *     - `unauthorized` (401): A valid key is required
         *     - `scope-missing` (403): The key does not have the scope
         *     - `not-found` (404): Not found
         *     - `unknown-tenant` (404): There is no such tenant
         *     - `method-not-allowed` (405): The method is not allowed here
         *     - `request-timeout` (408): The request did not arrive in time
         *     - `tenant-erasing` (409): The tenant is being erased
         *     - `cursor-expired` (410): Events after the cursor have expired
         *     - `cursor-ahead` (410): The cursor is ahead of the feed
         *     - `feed-reset` (410): The feed was restored to an earlier state
         *     - `payload-too-large` (413): The body is too large
         *     - `unsupported-media-type` (415): The media type is not supported here
         *     - `expectation-failed` (417): The expectation cannot be met
         *     - `invalid` (422): The body breaks the schema
         *     - `idempotency-conflict` (422): The key was used for another event
         *     - `address-not-allowed` (422): Deliveries may not reach this address
         *     - `ack-ahead` (422): The cursor is ahead of what was handed out
         *     - `quota-exceeded` (429): The tenant's limit is reached
         *     - `headers-too-large` (431): The headers are too large
         *     - `internal-error` (500): Internal error
         *     - `unavailable` (503): Not available for the moment
         */
        Problem: {
            /** Format: uri */
            type: string;
            title: string;
            status: number;
            /** @description About this occurrence, for people */
            detail?: string;
        } & {
            [key: string]: unknown;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listEvents: {
        parameters: {
            query?: {
                /** @description Continues right after where this cursor stands; `from` is then not looked at */
                cursor?: string;
                /** @description Where to start without a cursor: `earliest` (default), `latest` or an append time */
                from?: string;
                /** @description Only these types, separated by commas; `order.*` is everything below `order.` */
                types?: string;
                /** @description Only these subjects, separated by commas; `\,` is a comma of a subject */
                subjects?: string;
                /** @description What this endpoint (`ep_…`) matches, in place of `types` and `subjects`. When these are changed, a cursor of before is refused; with `rebase=true` it is taken, as whoever reconnects by itself needs */
                endpoint?: string;
                /** @description Takes a cursor that was made for another filter */
                rebase?: boolean;
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Seconds to wait for the first event that matches; `Prefer: wait=` does too */
                wait?: number;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The next page, as `rel=next` */
                    link?: string;
                    /** @description The page's cursor */
                    "tidegate-cursor"?: string;
                    /** @description The sequence of the tenant's last event */
                    "tidegate-head"?: string;
                    /** @description On a full page reached by a cursor */
                    etag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                    "application/cloudevents-batch+json": components["schemas"]["Event"][];
                };
            };
            /** @description The client has this page */
            304: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The next page, as `rel=next` */
                    link?: string;
                    /** @description The page's cursor */
                    "tidegate-cursor"?: string;
                    /** @description The sequence of the tenant's last event */
                    "tidegate-head"?: string;
                    /** @description On a full page reached by a cursor */
                    etag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `cursor-invalid`: The cursor is not valid here
             *
             *     `cursor-filter-mismatch`: The cursor belongs to another filter
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["CursorInvalidProblem"] | components["schemas"]["CursorFilterMismatchProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /**
             * @description `cursor-expired`: Events after the cursor have expired
             *
             *     `cursor-ahead`: The cursor is ahead of the feed
             *
             *     `feed-reset`: The feed was restored to an earlier state
             */
            410: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["CursorExpiredProblem"] | components["schemas"]["CursorAheadProblem"] | components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    appendEvents: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
                /** @description Adds cursors to the results of a batch and of lines */
                cursors?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewEvent"] | components["schemas"]["NewEvents"];
                "application/x-ndjson": string;
                "application/cloudevents+json": components["schemas"]["NewCloudEvent"];
                "application/cloudevents-batch+json": components["schemas"]["NewCloudEvent"][];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's limit, where it has one and the request names one tenant */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds, where the limit refused some events of a batch */
                    "retry-after"?: string;
                    /** @description `return=minimal`, where it was asked for and applies */
                    "preference-applied"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Appended"] | components["schemas"]["AppendResults"];
                    "application/x-ndjson": string;
                };
            };
            /** @description Created */
            201: {
                headers: {
                    /** @description The tenant's limit, where it has one and the request names one tenant */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Appended"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `invalid-header`: A header has a value it cannot have here
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["InvalidHeaderProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /**
             * @description `invalid`: The body breaks the schema
             *
             *     `idempotency-conflict`: The key was used for another event
             */
            422: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"] | components["schemas"]["IdempotencyConflictProblem"];
                };
            };
            /**
             * @description Too Many Requests
             *
             *     `quota-exceeded`: The tenant's limit is reached
             */
            429: {
                headers: {
                    /** @description The tenant's limit, where it has one and the request names one tenant */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getEvent: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The event's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"];
                    "application/cloudevents+json": components["schemas"]["Event"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listMissedEvents: {
        parameters: {
            query?: {
                /** @description Continues right after where this cursor stands; the oldest event otherwise */
                cursor?: string;
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Seconds to wait for the first event that matches; `Prefer: wait=` does too */
                wait?: number;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The next page, as `rel=next` */
                    link?: string;
                    /** @description The page's cursor */
                    "tidegate-cursor"?: string;
                    /** @description The sequence of the tenant's last event */
                    "tidegate-head"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                    "application/cloudevents-batch+json": components["schemas"]["Event"][];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /**
             * @description `cursor-expired`: Events after the cursor have expired
             *
             *     `cursor-ahead`: The cursor is ahead of the feed
             *
             *     `feed-reset`: The feed was restored to an earlier state
             */
            410: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["CursorExpiredProblem"] | components["schemas"]["CursorAheadProblem"] | components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listConsumerEvents: {
        parameters: {
            query?: {
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Seconds to wait for the first event that matches; `Prefer: wait=` does too */
                wait?: number;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The consumer's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The page's cursor */
                    "tidegate-cursor"?: string;
                    /** @description The sequence of the tenant's last event */
                    "tidegate-head"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                    "application/cloudevents-batch+json": components["schemas"]["Event"][];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /**
             * @description `cursor-expired`: Events after the cursor have expired
             *
             *     `cursor-ahead`: The cursor is ahead of the feed
             *
             *     `feed-reset`: The feed was restored to an earlier state
             */
            410: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["CursorExpiredProblem"] | components["schemas"]["CursorAheadProblem"] | components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    ackConsumer: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The consumer's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConsumerAck"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConsumerPosition"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `malformed-json`: The body is not valid JSON
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["MalformedJsonProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `feed-reset`: The feed was restored to an earlier state */
            410: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /**
             * @description `invalid`: The body breaks the schema
             *
             *     `ack-ahead`: The cursor is ahead of what was handed out
             */
            422: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"] | components["schemas"]["AckAheadProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listDeliveries: {
        parameters: {
            query?: {
                /** @description Only those that stand so */
                status?: "delivered" | "retrying" | "dead" | "awaiting_receipt" | "settled" | "expired" | "skipped";
                /** @description Only events of this type; `order.*` is everything below `order.` */
                type?: string;
                /** @description Only events that were appended then or later */
                since?: string;
                /** @description Only events that were appended before */
                until?: string;
                /** @description Only those of the endpoint of this id */
                endpoint?: string;
                /** @description Only those of the event of this id */
                event?: string;
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryPage"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listEndpointDeliveries: {
        parameters: {
            query?: {
                /** @description Only those that stand so */
                status?: "delivered" | "retrying" | "dead" | "awaiting_receipt" | "settled" | "expired" | "skipped";
                /** @description Only events of this type; `order.*` is everything below `order.` */
                type?: string;
                /** @description Only events that were appended then or later */
                since?: string;
                /** @description Only events that were appended before */
                until?: string;
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryPage"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listEventDeliveries: {
        parameters: {
            query?: {
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The event's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryPage"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getDelivery: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The delivery's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryWithAttempts"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getEventTimeline: {
        parameters: {
            query?: {
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The event's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timeline"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listReceipts: {
        parameters: {
            query: {
                /** @description Its id */
                event: string;
                /** @description Only that of this endpoint */
                endpoint?: string;
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiptPage"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    sendReceipt: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewReceipt"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiptOfEvents"] | components["schemas"]["ReceiptThrough"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /**
             * @description `cursor-expired`: Events after the cursor have expired
             *
             *     `cursor-ahead`: The cursor is ahead of the feed
             *
             *     `feed-reset`: The feed was restored to an earlier state
             */
            410: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["CursorExpiredProblem"] | components["schemas"]["CursorAheadProblem"] | components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    replayDelivery: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The delivery's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    /** @description The path of the replay */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replay"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    createReplay: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewReplay"];
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    /** @description The path of the replay */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replay"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /**
             * @description `cursor-expired`: Events after the cursor have expired
             *
             *     `cursor-ahead`: The cursor is ahead of the feed
             *
             *     `feed-reset`: The feed was restored to an earlier state
             */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["CursorExpiredProblem"] | components["schemas"]["CursorAheadProblem"] | components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listReplays: {
        parameters: {
            query?: {
                /** @description Only those of the endpoint of this id */
                endpoint?: string;
                /** @description Only those that stand so */
                status?: "running" | "completed" | "cancelled";
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayPage"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getReplay: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The replay's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replay"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    cancelReplay: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The replay's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is not running any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getDeliveryStats: {
        parameters: {
            query?: {
                /** @description How far to look back, up to the retention; 24h unless given. It is cut into steps that begin at whole minutes, hours or days of UTC, the last of which is still running: a window of one step is what came since that began */
                window?: string;
                /** @description At most 1,500 make up the window, which takes whole hours where it is longer than 2 days. Unless given one that makes some 60 to 288 of them, where the window is an hour or longer */
                step?: string;
                /** @description Only attempts at the endpoint of this id */
                endpoint?: string;
                /** @description Only events of this type; `order.*` is everything below `order.`. Of a tenant some 200 types a day are told apart, and what comes with further ones counts as `other` */
                type?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliverySeries"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                /** @description Continues right after where this cursor stands; `from` is then not looked at */
                cursor?: string;
                /** @description Where to start without a cursor: `earliest` (default), `latest` or an append time */
                from?: string;
                /** @description Only these types, separated by commas; `order.*` is everything below `order.` */
                types?: string;
                /** @description Only these subjects, separated by commas; `\,` is a comma of a subject */
                subjects?: string;
                /** @description What this endpoint (`ep_…`) matches, in place of `types` and `subjects`. When these are changed, a cursor of before is refused; with `rebase=true` it is taken, as whoever reconnects by itself needs */
                endpoint?: string;
                /** @description Takes a cursor that was made for another filter */
                rebase?: boolean;
                /** @description From `POST /tickets`, in place of a key; its `types` and `subjects` hold, so the query names none */
                ticket?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `cursor-invalid`: The cursor is not valid here
             *
             *     `cursor-filter-mismatch`: The cursor belongs to another filter
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["CursorInvalidProblem"] | components["schemas"]["CursorFilterMismatchProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /**
             * @description `cursor-expired`: Events after the cursor have expired
             *
             *     `cursor-ahead`: The cursor is ahead of the feed
             *
             *     `feed-reset`: The feed was restored to an earlier state
             */
            410: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["CursorExpiredProblem"] | components["schemas"]["CursorAheadProblem"] | components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getUndelivered: {
        parameters: {
            query?: {
                /** @description How far it reaches back, up to the retention: `90s`, `15m`, `1h`, `7d` */
                window?: string;
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Undelivered"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    search: {
        parameters: {
            query: {
                /** @description What to look for */
                q: string;
                /** @description Hits of each kind, 20 unless given */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchResult"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getTenant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's name */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    putTenant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's name */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["TenantSettings"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    deleteTenant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's name */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The erasure is under way */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        erasure: components["schemas"]["Erasure"];
                    };
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    patchTenant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The tenant's name */
                tenant: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TenantSettings"];
                "application/merge-patch+json": components["schemas"]["TenantSettings"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tenant"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listTenants: {
        parameters: {
            query?: {
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TenantPage"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getLimits: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitsInUse"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getOperationalEvents: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationalEvents"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    putOperationalEvents: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AskedOperationalEvents"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationalEvents"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `malformed-json`: The body is not valid JSON
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: {
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyPage"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    createKey: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewKey"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedKey"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             *
             *     `tenant-required`: The request must name its tenant
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"] | components["schemas"]["TenantRequiredProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getCurrentKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CurrentKey"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    deleteKey: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The key's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key is revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    createPortalLink: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NewPortalLink"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PortalLink"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `malformed-json`: The body is not valid JSON
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    createTicket: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["NewTicket"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `malformed-json`: The body is not valid JSON
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listEndpoints: {
        parameters: {
            query?: {
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointPage"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    createEndpoint: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewEndpoint"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    /** @description The path of the endpoint */
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedEndpoint"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `malformed-json`: The body is not valid JSON
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["MalformedJsonProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /**
             * @description `cursor-expired`: Events after the cursor have expired
             *
             *     `cursor-ahead`: The cursor is ahead of the feed
             *
             *     `feed-reset`: The feed was restored to an earlier state
             */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["CursorExpiredProblem"] | components["schemas"]["CursorAheadProblem"] | components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /**
             * @description `invalid`: The body breaks the schema
             *
             *     `address-not-allowed`: Deliveries may not reach this address
             */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"] | components["schemas"]["AddressNotAllowedProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getEndpoint: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Endpoint"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    deleteEndpoint: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The endpoint is removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    patchEndpoint: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndpointPatch"];
                "application/merge-patch+json": components["schemas"]["EndpointPatch"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Endpoint"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /**
             * @description `invalid`: The body breaks the schema
             *
             *     `address-not-allowed`: Deliveries may not reach this address
             */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"] | components["schemas"]["AddressNotAllowedProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getEndpointSecret: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndpointSecret"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    rotateEndpointSecret: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SecretRotation"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RotatedSecret"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    pauseEndpoint: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EndpointPause"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Endpoint"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    pollEndpoint: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Endpoint"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    resumeEndpoint: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EndpointResumption"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Endpoint"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /**
             * @description `cursor-expired`: Events after the cursor have expired
             *
             *     `cursor-ahead`: The cursor is ahead of the feed
             *
             *     `feed-reset`: The feed was restored to an earlier state
             */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["CursorExpiredProblem"] | components["schemas"]["CursorAheadProblem"] | components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    testEndpoint: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The endpoint's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestedPush"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getConsumer: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The consumer's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Consumer"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    putConsumer: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The consumer's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ConsumerSettings"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Consumer"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Consumer"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `malformed-json`: The body is not valid JSON
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["MalformedJsonProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /**
             * @description `cursor-expired`: Events after the cursor have expired
             *
             *     `cursor-ahead`: The cursor is ahead of the feed
             *
             *     `feed-reset`: The feed was restored to an earlier state
             */
            410: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["CursorExpiredProblem"] | components["schemas"]["CursorAheadProblem"] | components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    deleteConsumer: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The consumer's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The consumer is removed */
            204: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listConsumers: {
        parameters: {
            query?: {
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConsumerPage"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `unknown-tenant`: There is no such tenant */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    seekConsumer: {
        parameters: {
            query?: {
                /** @description The tenant, for operator keys */
                tenant?: string;
            };
            header?: never;
            path: {
                /** @description The consumer's name */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConsumerSeek"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Consumer"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `tenant-required`: The request must name its tenant
             *
             *     `malformed-json`: The body is not valid JSON
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["TenantRequiredProblem"] | components["schemas"]["MalformedJsonProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /**
             * @description `unknown-tenant`: There is no such tenant
             *
             *     `not-found`: Not found
             */
            404: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownTenantProblem"] | components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `tenant-erasing`: The tenant is being erased */
            409: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["TenantErasingProblem"];
                };
            };
            /**
             * @description `cursor-expired`: Events after the cursor have expired
             *
             *     `cursor-ahead`: The cursor is ahead of the feed
             *
             *     `feed-reset`: The feed was restored to an earlier state
             */
            410: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["CursorExpiredProblem"] | components["schemas"]["CursorAheadProblem"] | components["schemas"]["FeedResetProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `quota-exceeded`: The tenant's limit is reached */
            429: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["QuotaExceededProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description The tenant's rate, where it has one */
                    "ratelimit-policy"?: string;
                    /** @description What is left of it */
                    ratelimit?: string;
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getEventType: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Words between dots */
                type: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventType"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `not-found`: Not found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    putEventType: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Words between dots */
                type: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EventTypeSettings"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventType"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventType"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `malformed-json`: The body is not valid JSON
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["MalformedJsonProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `request-timeout`: The request did not arrive in time */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["RequestTimeoutProblem"];
                };
            };
            /** @description `payload-too-large`: The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["PayloadTooLargeProblem"];
                };
            };
            /** @description `unsupported-media-type`: The media type is not supported here */
            415: {
                headers: {
                    /** @description The media types that are taken */
                    accept?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
                };
            };
            /** @description `invalid`: The body breaks the schema */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InvalidProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    deleteEventType: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Words between dots */
                type: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event type is removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `not-found`: Not found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["NotFoundProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    listEventTypes: {
        parameters: {
            query?: {
                /** @description Items on the page, 100 unless given */
                limit?: number;
                /** @description Where the page before this one ended */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventTypePage"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             *
             *     `cursor-invalid`: The cursor is not valid here
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"] | components["schemas"]["CursorInvalidProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getPortal: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    /** @description Nothing but the page's own files, and this gateway */
                    "content-security-policy"?: string;
                    /** @description `same-origin` */
                    "cross-origin-opener-policy"?: string;
                    /** @description `same-origin` */
                    "cross-origin-resource-policy"?: string;
                    /** @description Everything is off */
                    "permissions-policy"?: string;
                    /** @description `no-referrer` */
                    "referrer-policy"?: string;
                    /** @description Of this page in this encoding */
                    etag?: string;
                    /** @description `br` or `gzip`, where that is taken */
                    "content-encoding"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description Not Modified */
            304: {
                headers: {
                    /** @description Of this page in this encoding */
                    etag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getSystem: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["System"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "alive";
                    };
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /**
             * @description Service Unavailable
             *
             *     `unavailable`: Not available for the moment
             */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `unauthorized`: A valid key is required */
            401: {
                headers: {
                    /** @description Asks for a bearer token */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnauthorizedProblem"];
                };
            };
            /** @description `scope-missing`: The key does not have the scope */
            403: {
                headers: {
                    /** @description The scope that is missing */
                    "www-authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ScopeMissingProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getOpenApiJson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
    getOpenApiYaml: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/yaml": string;
                };
            };
            /**
             * @description `unknown-parameter`: The query has a parameter this route does not know
             *
             *     `duplicate-parameter`: The query gives a parameter more than once
             *
             *     `invalid-parameter`: A parameter has a value it cannot have
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnknownParameterProblem"] | components["schemas"]["DuplicateParameterProblem"] | components["schemas"]["InvalidParameterProblem"];
                };
            };
            /** @description `internal-error`: Internal error */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["InternalErrorProblem"];
                };
            };
            /** @description `unavailable`: Not available for the moment */
            503: {
                headers: {
                    /** @description Seconds */
                    "retry-after"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["UnavailableProblem"];
                };
            };
        };
    };
}
