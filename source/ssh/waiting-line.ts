/** Requests that wait for a place on a connection. */
import type { VirtuError } from "../errors.ts";
import { cancelled, insertByPriority } from "./limiter.ts";
import type { Grant, Wanted } from "./session-types.ts";
import type { Priority } from "./types.ts";

interface Ticket extends Wanted {
  grant: (grant: Grant) => void;
  reject: (error: VirtuError) => void;
}

export class WaitingLine {
  private readonly tickets: Ticket[] = [];

  /** `left` is called when somebody who waited has given up. */
  constructor(private readonly left: () => void) {}

  get length(): number {
    return this.tickets.length;
  }

  /** The highest priority of those who wait. */
  get urgency(): Priority {
    return this.tickets[0]?.priority ?? "poll";
  }

  /** Waits for a grant; `ahead`, before everybody of the same priority. */
  join(wanted: Wanted, ahead: boolean): Promise<Grant> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.tickets.splice(this.tickets.indexOf(ticket), 1);
        reject(cancelled());
        this.left();
      };
      const done = () => wanted.signal?.removeEventListener("abort", onAbort);
      const ticket: Ticket = {
        ...wanted,
        grant: (grant) => {
          done();
          resolve(grant);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      wanted.signal?.addEventListener("abort", onAbort, { once: true });
      insertByPriority(this.tickets, ticket, ahead);
    });
  }

  /** Lets in who may enter, in order. Who counts against the limit of channels may be kept back behind who does not. */
  admit(mayEnter: (wanted: Wanted) => boolean, grant: (wanted: Wanted) => Grant): void {
    for (let index = 0; index < this.tickets.length; ) {
      const ticket = this.tickets[index];
      if (!ticket) return;
      if (mayEnter(ticket)) {
        this.tickets.splice(index, 1);
        ticket.grant(grant(ticket));
      } else index += 1;
    }
  }

  sendAway(error: VirtuError): void {
    for (const ticket of this.tickets.splice(0)) ticket.reject(error);
  }
}
