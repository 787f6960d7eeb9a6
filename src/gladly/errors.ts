import { type Problem, problem } from '../contracts/problems.ts';
import { actionOf } from './actions.ts';

/** Why there was no whole answer. */
export type ConnectionFault = 'name_not_found' | 'dns' | 'tls' | 'refused' | 'reset' | 'address_refused';

/** One entry of Gladly's `errors`. `detail` is Gladly's own text: never put it into a log. */
export interface GladlyErrorDetail {
  readonly attr?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** Everything that can become of a request besides the answer that was asked for. */
export type Failure =
  | { readonly kind: 'unauthorized'; readonly foreign: boolean }
  | { readonly kind: 'forbidden'; readonly foreign: boolean }
  | { readonly kind: 'not_found'; readonly foreign: boolean }
  /** Gone to somewhere else on the same host. */
  | { readonly kind: 'moved'; readonly foreign: boolean }
  | { readonly kind: 'rate_limited'; readonly retryAfterMs: number | null }
  | { readonly kind: 'server_error' }
  | { readonly kind: 'timeout'; readonly afterMs: number }
  | { readonly kind: 'connection'; readonly fault: ConnectionFault }
  /** To another host: refused. `target` is its host name only. */
  | { readonly kind: 'redirect'; readonly target: string }
  | { readonly kind: 'not_json' }
  | { readonly kind: 'too_large'; readonly limitBytes: number }
  | { readonly kind: 'bad_request' }
  /** An id that cannot be part of a path; nothing was sent. */
  | { readonly kind: 'invalid_id' }
  | { readonly kind: 'unexpected' };

export type FailureKind = Failure['kind'];

/** What was asked. `path` is the template with its placeholders: no ids, nothing secret. */
export interface RequestName {
  readonly host: string;
  readonly method: string;
  readonly path: string;
}

/** A request to Gladly that did not give what was asked for. The message names the request and the kind, never a body. */
export class GladlyError extends Error {
  override readonly name = 'GladlyError';
  readonly failure: Failure;
  readonly request: RequestName;
  /** HTTP status, when there was one. */
  readonly status: number | undefined;
  // Private, and so out of reach of loggers that print an error's properties: Gladly's texts may quote what was sent.
  readonly #details: readonly GladlyErrorDetail[];
  readonly #newConversationId: string | null;

  constructor(
    failure: Failure,
    request: RequestName,
    status?: number,
    details: readonly GladlyErrorDetail[] = [],
    newConversationId: string | null = null,
  ) {
    const what = failure.kind === 'connection' ? `connection ${failure.fault}` : failure.kind;
    super(`${request.method} ${request.path} at ${request.host}: ${what}${status === undefined ? '' : ` (${status})`}`);
    this.failure = failure;
    this.request = request;
    this.status = status;
    this.#details = details;
    this.#newConversationId = newConversationId;
  }

  get kind(): FailureKind {
    return this.failure.kind;
  }

  /** Gladly's `errors`, empty when it gave none. */
  get details(): readonly GladlyErrorDetail[] {
    return this.#details;
  }

  /** Of an answer of kind `moved`: the conversation of the same organization that it names; null when it names none. */
  get newConversationId(): string | null {
    return this.#newConversationId;
  }

  /** True when trying again later is all it takes. */
  get retryable(): boolean {
    switch (this.failure.kind) {
      case 'rate_limited':
      case 'server_error':
      case 'timeout':
        return true;
      case 'connection':
        return ['dns', 'refused', 'reset'].includes(this.failure.fault);
      default:
        return false;
    }
  }

  /**
   * True when these are not Gladly's words: a gateway's or a maintenance page's 404, a web page in the place of an answer, a redirect elsewhere.
   * From an organization that answered before, it heals with time.
   */
  get foreign(): boolean {
    return 'foreign' in this.failure
      ? this.failure.foreign
      : this.failure.kind === 'redirect' || this.failure.kind === 'not_json';
  }

  /** What to tell a person. */
  get problem(): Problem {
    return problemOf(this);
  }
}

const ORGANIZATION = '/api/v1/organization';

function problemOf({ failure, request, status }: GladlyError): Problem {
  const domain = request.host;
  const asked = { request: `${request.method} ${request.path}` };
  switch (failure.kind) {
    case 'unauthorized':
      return problem('token_rejected', { domain });
    case 'forbidden':
      return problem('forbidden', { action: actionOf(request.method, request.path) });
    case 'not_found':
      // A host without an organization answers 404 to everything (gladly.md 2.4).
      return request.path === ORGANIZATION
        ? problem('organization_not_found', { domain })
        : problem('gladly_not_found', asked);
    case 'moved':
      return problem('gladly_not_found', asked);
    case 'rate_limited':
      return problem('gladly_rate_limited');
    case 'server_error':
      return problem('gladly_server_error', { status: status ?? 500 });
    case 'timeout':
      return problem('gladly_timeout', { domain, seconds: Math.round(failure.afterMs / 1_000) });
    case 'connection':
      return connectionProblem(failure.fault, domain);
    case 'redirect':
      return problem('redirect_refused', { domain, target: failure.target });
    case 'not_json':
      return problem('not_gladly', { domain });
    case 'too_large':
      return problem('answer_too_large', { domain, megabytes: Math.round(failure.limitBytes / 1_000_000) });
    case 'bad_request':
    case 'invalid_id':
      return problem('gladly_request_refused', asked);
    case 'unexpected':
      return problem('gladly_unexpected_answer', asked);
  }
}

function connectionProblem(fault: ConnectionFault, domain: string): Problem {
  switch (fault) {
    case 'name_not_found':
      return problem('domain_not_found', { domain });
    case 'dns':
      return problem('dns_failed', { domain });
    case 'tls':
      return problem('tls_error', { domain });
    case 'refused':
      return problem('connection_refused', { domain });
    case 'reset':
      return problem('connection_lost', { domain });
    case 'address_refused':
      return problem('address_refused', { domain });
  }
}
