import assert from "node:assert/strict";
import { test } from "node:test";

import { Consent } from "../../src/ringlight/web/rooms/client/consent.js";

const DOCTOR = { key: "person-1", role: "clinician" };
const OBSERVER = { key: "person-2", role: "observer" };
const PATIENT = { key: "person-3", role: "patient" };

/** @param {string[]} needed @param {string[]} [given] */
function consent(needed, given = []) {
  const made = new Consent();
  made.welcomed({ needed, given });
  return made;
}

test("without anything to consent to everybody may be met", () => {
  const free = new Consent();
  free.welcomed(undefined);
  assert.ok([DOCTOR, OBSERVER, PATIENT].every((one) => free.allows(one) && free.allowsWords(one)));
});

test("nobody is met before our own consent to video, and words go all the same", () => {
  const asked = consent(["video"]);
  assert.ok(!asked.allows(DOCTOR) && asked.allowsWords(DOCTOR));
  assert.ok(asked.note(["video"], true)(DOCTOR), "the path to everybody is another matter now");
  assert.ok(asked.allows(DOCTOR));
  asked.note(["video"], false);
  assert.ok(!asked.allows(DOCTOR));
});

test("an observer alone is not met before our consent to one, not even by words", () => {
  const asked = consent(["observer", "video"], ["video"]);
  assert.deepEqual([DOCTOR, OBSERVER].map((one) => [asked.allows(one), asked.allowsWords(one)]), [[true, true], [false, false]]);
  const concerns = asked.note(["observer"], true);
  assert.deepEqual([DOCTOR, OBSERVER].map(concerns), [false, true], "what plays with the others is left alone");
  assert.ok(asked.allows(OBSERVER));
});

test("recording and captions hold nothing up", () => {
  const asked = consent(["captions", "recording"]);
  assert.ok(asked.allows(DOCTOR) && asked.allows(OBSERVER));
  assert.ok(![DOCTOR, OBSERVER].some(asked.note(["recording"], true)));
});

test("whom the server refuses is met when they consent, and left when they withdraw", () => {
  const ours = consent([]);
  ours.refused(PATIENT);
  assert.ok(!ours.allows(PATIENT));
  assert.ok(!ours.heardOf(PATIENT, ["recording"], true, "clinician") && !ours.allows(PATIENT));
  assert.ok(ours.heardOf(PATIENT, ["video"], true, "clinician") && ours.allows(PATIENT));
  assert.ok(ours.heardOf(PATIENT, ["video"], false, "clinician") && !ours.allows(PATIENT));
  ours.forget(PATIENT);
  assert.ok(ours.allows(PATIENT), "they are gone; somebody else may come by this key");
});

test("their consent to an observer concerns observers alone", () => {
  const [doctors, observers] = [consent([]), consent([])];
  assert.ok(!doctors.heardOf(PATIENT, ["observer"], false, "clinician") && doctors.allows(PATIENT));
  assert.ok(observers.heardOf(PATIENT, ["observer"], false, "observer") && !observers.allows(PATIENT));
});
