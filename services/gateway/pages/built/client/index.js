/** A small client of Convene's GraphQL API: for the gateway's own pages and for booking apps, in browsers and in Node 20 or newer. */
export { BookingApp } from "./app.js";
export { Connection } from "./connection.js";
export { ConveneError } from "./errors.js";
export { follow } from "./follow.js";
export { Guest } from "./guest.js";
