// The roles of a room that this page asks about; what each may do is the server's to say (`ROLES` in rooms/people.py).

/** Whom an open room takes somebody's word for being. */
export const OFFERED = ["patient", "clinician", "receptionist", "interpreter", "companion", "observer"];

/** Who lets others in, and so never waits. */
const HOSTS = ["clinician", "receptionist", "admin"];

/** @param {string} [role] */
export const isHost = (role = "") => HOSTS.includes(role);
