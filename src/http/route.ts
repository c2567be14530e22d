/**
 * A route is declared once: who may call it, what it takes and what it answers. `mountRoutes`
 * serves the declaration and `openApiDocument` writes it down, so the two cannot disagree.
 *
 * What a handler is given has been checked against the schemas. What it answers has not: the
 * contract test compares answers with the document, so that no request pays for it.
 */
import type { z } from "zod";
import type { ProblemSlug } from "../problem.ts";
import type { Access, OperatorPrincipal, Principal, Tenant } from "./auth.ts";
import type { Limited } from "./rate-limit.ts";
import type { ApiRequest } from "./request.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";

/**
 * `named`: the route acts on one tenant, which is the key's own or the one an operator names in
 * `?tenant=` or in a `tenant` member of the body. `optional`: an operator may leave it out.
 */
export type TenantRule = "named" | "optional";

/** A body the handler reads itself, with `request.readBody` or `request.bodyChunks`. */
export type RawBody = {
  readonly kind: "raw";
  /** Media type → its schema, for the document. The media type of a request must be one of them. */
  readonly content: Readonly<Record<string, z.ZodType>>;
  readonly description?: string;
  /** A request that the media type of its body does not matter to. */
  readonly takesAny?: (request: ApiRequest) => boolean;
};

export type BodySpec = z.ZodType | RawBody;

/** A JSON body is given as its schema; all else is spelled out. */
export type ResponseSpec =
  | z.ZodType
  | {
      readonly description?: string;
      readonly body?: z.ZodType;
      /** Media type → schema, where the answer is not, or not only, JSON. */
      readonly content?: Readonly<Record<string, z.ZodType>>;
      /** Header name → what it says. */
      readonly headers?: Readonly<Record<string, string>>;
    };

export type Responses = Readonly<Record<number, ResponseSpec>>;

/** The handler has written the response itself, see `ApiRequest.takeOver`. */
export const alreadySent = { alreadySent: true } as const;

export type AlreadySent = typeof alreadySent;

export type ReplyHeaders = Readonly<Record<string, string>>;

/** `text` goes out as it is, for answers that are already JSON or are not JSON at all. */
export type TextReply<Status = number> = {
  readonly status: Status;
  readonly text: string | Uint8Array<ArrayBuffer>;
  /** `application/json` unless given. */
  readonly contentType?: string;
  readonly headers?: ReplyHeaders;
};

export type BodyReply<Status = number, Body = unknown> = {
  readonly status: Status;
  readonly body?: Body;
  readonly headers?: ReplyHeaders;
};

export type Reply = BodyReply | TextReply | AlreadySent;

export type Input<A extends Access, T, P extends z.ZodType, Q extends z.ZodType, B> = {
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: B extends z.ZodType ? z.output<B> : undefined;
  readonly principal: PrincipalOf<A>;
  readonly tenant: TenantOf<T>;
  readonly request: ApiRequest;
};

type PrincipalOf<A extends Access> = A extends "public"
  ? undefined
  : A extends "operator"
    ? OperatorPrincipal
    : Principal;

type TenantOf<T> = T extends "named"
  ? Tenant
  : T extends "optional"
    ? Tenant | undefined
    : undefined;

/** What `JSON.stringify` takes for `T`: read-only, and `undefined` where a member may be absent. */
type Json<T> = T extends readonly (infer Item)[]
  ? readonly Json<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Json<T[K]> | (object extends Pick<T, K> ? undefined : never) }
    : T;

type BodyOf<S> = S extends z.ZodType
  ? Json<z.output<S>>
  : S extends { body: infer B extends z.ZodType }
    ? Json<z.output<B>>
    : undefined;

/** Every status of the route that may carry this body, so that one reply can leave it open. */
type StatusOf<R extends Responses, B> = {
  [S in keyof R]: [B] extends [BodyOf<R[S]>] ? S : never;
}[keyof R];

type ReplyWith<S, B> = { readonly status: S; readonly headers?: ReplyHeaders } & ([B] extends [
  undefined,
]
  ? { readonly body?: undefined }
  : { readonly body: B });

type ReplyOf<R extends Responses> =
  | { [S in keyof R]: ReplyWith<StatusOf<R, BodyOf<R[S]>>, BodyOf<R[S]>> }[keyof R]
  | TextReply<keyof R>
  | AlreadySent;

export type RouteSpec<
  A extends Access,
  T extends TenantRule | undefined,
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends BodySpec | undefined,
  R extends Responses,
> = {
  readonly method: Method;
  /** In the notation of OpenAPI: `/tenants/{tenant}`. */
  readonly path: string;
  /** The operation's name in the document, `putTenant`. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: A;
  /**
   * Stands in for the key where `?ticket=` is given, because browsers cannot set headers on a
   * stream. The handler redeems what it finds as `principal.ticket`.
   */
  readonly ticket?: (ticket: string) => Promise<Principal | undefined>;
  readonly tenant?: T;
  /**
   * The rate of its tenant that it counts against. Of `reads` a request is one, and an operator's
   * that leaves the tenant out counts for nobody; `appends` are counted where events are read.
   */
  readonly limit?: Limited;
  readonly params?: P;
  /** Parameters it does not name are refused. One that is absent is not parsed per request. */
  readonly query?: Q;
  /** A schema that takes `undefined` lets the body be absent. */
  readonly body?: B;
  readonly bodyLimitBytes?: number;
  /**
   * A page answers for all that lies below its path too, and with whatever query: those are its own
   * to read. The document names the path alone.
   */
  readonly page?: true;
  /** Of one route, where the framework's share of the time would be felt: see direct.ts. */
  readonly direct?: true;
  readonly responses: R;
  /** Those that every route, or every route of this form, can answer need not be listed. */
  readonly problems?: readonly ProblemSlug[];
  handle(input: Input<A, T, P, Q, B>): Promise<ReplyOf<R>> | ReplyOf<R>;
};

/** A route whose types have served their purpose. */
export type Route = Omit<
  RouteSpec<Access, TenantRule | undefined, z.ZodObject, z.ZodObject, BodySpec, Responses>,
  "handle"
> & {
  handle(input: AnyInput): Promise<Reply> | Reply;
};

export type AnyInput = {
  params: unknown;
  query: unknown;
  body: unknown;
  principal: Principal | undefined;
  tenant: Tenant | undefined;
  request: ApiRequest;
};

type NoMembers = z.ZodObject<Record<never, never>>;

export function route<
  const R extends Responses,
  A extends Access,
  T extends TenantRule | undefined = undefined,
  P extends z.ZodObject = NoMembers,
  Q extends z.ZodObject = NoMembers,
  B extends BodySpec | undefined = undefined,
>(spec: RouteSpec<A, T, P, Q, B, R>): Route {
  return spec as unknown as Route;
}

export function rawBody(spec: Omit<RawBody, "kind">): RawBody {
  return { kind: "raw", ...spec };
}
