/** A small client of Convene's GraphQL API: for the gateway's own pages and for booking apps, in browsers and in Node 20 or newer. */
export { type Booked, BookingApp, type Wish } from "./app.js";
export { Connection, type Credential, type Options } from "./connection.js";
export { type Code, ConveneError, type Kind, type Reason } from "./errors.js";
export { type FollowOptions, follow, type Link, type Source, type Update } from "./follow.js";
export { type Arrival, Guest } from "./guest.js";
export type * from "./types.js";
