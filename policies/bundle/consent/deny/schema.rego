package consent.deny

import future.keywords.not

# METADATA
# title: The question is incomplete
# description: |
#   The host has to fill every field, with the word unknown where nothing is
#   known. A field that is absent is a defect of the host or of an older
#   version, and what it would have said can't be guessed.
# labels:
#   code: D02
#   name: schema_incomplete
#   law: GDPR Art. 5(2)
# custom:
#   owner: compliance
#   review_by: "2027-06-30"
#   remedy: This is a defect. Report it with the class's inputs from consent.classes.
# related_resources:
#   - ref: https://eur-lex.europa.eu/eli/reg/2016/679/oj#art_5
#     description: GDPR Article 5
reasons contains {"code": "D02"} if _incomplete

_incomplete if not input.subject.age_band

_incomplete if not input.subject.customer

_incomplete if not input.subject.erasure

_incomplete if not input.subject.gpc

_incomplete if not input.subject.inactive_days

_incomplete if not input.subject.jurisdictions

_incomplete if not input.subject.limit_sensitive

_incomplete if not input.subject.objected

_incomplete if not input.subject.opt_out_offered

_incomplete if not input.subject.opted_out

_incomplete if not input.subject.opted_out_ads

_incomplete if not input.subject.opted_out_days

_incomplete if not input.subject.opted_out_profiling

_incomplete if not input.subject.regimes

_incomplete if not input.subject.restricted

_incomplete if not input.subject.suppressed

_incomplete if not input.subject.suppressed_elsewhere

_incomplete if not input.consent.age_days

_incomplete if not input.consent.device_storage

_incomplete if not input.consent.explicit

_incomplete if not input.consent.google

_incomplete if not input.consent.guardian

_incomplete if not input.consent.proof

_incomplete if not input.consent.status

_incomplete if not input.consent.tcf

_incomplete if not input.activation.categories

_incomplete if not input.activation.channel

_incomplete if not input.activation.device

_incomplete if not input.activation.effect

_incomplete if not input.activation.human_review

_incomplete if not input.activation.purpose

_incomplete if not input.controller.charity

_incomplete if not input.controller.minors

_incomplete if not input.destination.country

_incomplete if not input.destination.dpa

_incomplete if not input.destination.google

_incomplete if not input.destination.kind

_incomplete if not input.destination.mechanism

_incomplete if not input.destination.purposes

_incomplete if not input.destination.role

_incomplete if not input.destination.tcf

_incomplete if not input.destination.transfer
