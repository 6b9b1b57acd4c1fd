/** Where a visit stands. */
export type VisitState = "EXPECTED" | "WAITING" | "ADMITTED" | "DENIED" | "TIMED_OUT" | "LEFT";

/** Where a lobby stands. */
export type LobbyState = "OPEN" | "CLOSED";

/** Where a booking stands. */
export type BookingState = "PENDING" | "CONFIRMED" | "CANCELLED" | "COMPLETED" | "DECLINED" | "NO_SHOW";

/** Where a meeting stands. */
export type MeetingState = "PENDING" | "READY" | "FAILED" | "CANCELLING" | "CANCELLED" | "ENDED";

/** Where a recording stands. */
export type RecordingState =
  | "REQUESTED"
  | "STARTING"
  | "RECORDING"
  | "PAUSING"
  | "PAUSED"
  | "RESUMING"
  | "STOPPING"
  | "PROCESSING"
  | "AVAILABLE"
  | "STORED"
  | "FAILED";

/** A moment, RFC 3339. */
export type Moment = string;

/** A guest's stay in a lobby. */
export interface Visit {
  id: string;
  state: VisitState;
  /** 1 is next; 0 for who does not wait. */
  position: number;
  /** Stable reason of an end state. */
  reason: string | null;
  displayName: string;
  arrivedAt: Moment | null;
  endedAt: Moment | null;
}

/** What a guest learns of its appointment. */
export interface Appointment {
  bookingId: string;
  start: Moment | null;
  end: Moment | null;
  service: string;
  host: string;
}

/** How to join: secrets of one person. Show them, never store or forward them. */
export interface JoinDetails {
  joinUrl: string;
  joinMeetingId: string | null;
  passcode: string | null;
  dialInNumbers: string[];
  conferenceId: string | null;
}

/** What a person decided about being recorded. */
export interface Consent {
  given: boolean;
  /** Version of the text that the person read. */
  textVersion: string;
  /** Its language, BCP 47. */
  locale: string;
  decidedAt: Moment | null;
}

/** How a tenant's waiting page looks and what it asks; what is null is as the page has it of its own. */
export interface WaitingPage {
  /** The organisation, as guests know it. */
  name: string | null;
  /** `#rrggbb`. */
  accentColour: string | null;
  /** A picture as a `data:` address. */
  logo: string | null;
  /** For guests whose browser wishes none of the page's languages; BCP 47. */
  defaultLocale: string | null;
  /** Whom to ask for help. */
  supportLine: string | null;
  /** Whether every guest is asked about being recorded, not only those who come while it records. */
  asksConsent: boolean;
  /** Version of the texts; null while the tenant has none. */
  consentTextVersion: string | null;
  /** The tenant's own texts about recording, one for each language. */
  consentTexts: { locale: string; text: string }[];
}

/** Who asks. */
export interface Viewer {
  principal: string;
  role: "ADMIN" | "BOOKING_APP" | "HOST" | "GUEST";
  tenantId: string;
}

/** A ticket and what it opens. The ticket is a secret of one guest. */
export interface Ticket {
  ticket: string;
  visitId: string;
  /** Path of the guest's own waiting page on the gateway, ticket included. */
  waitingPagePath: string;
  expiresAt: Moment | null;
}

/** A fact of a booking. */
export interface BookingEvent {
  /** Go on behind this event with `after`. */
  cursor: string;
  /** The service that wrote it. */
  source: string;
  /** Name of the fact. */
  type: string;
  objectKind: string;
  objectId: string;
  /** Version of the object after it: 1, 2, 3 … without a gap. */
  seq: number;
  actor: string;
  occurredAt: Moment | null;
  /** JSON; free of personal data and secrets. */
  data: string;
}
