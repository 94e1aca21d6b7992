package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/stages"
)

func (a *app) consentRecord() *cobra.Command {
	var o stages.ConsentOrder
	var occurred, expires, notice string
	c := &cobra.Command{
		Use: "record KIND:VALUE | EMAIL", Short: "Record by hand what somebody said may be done, or may not",
		Long: `Records a statement for an address: told on the phone, on paper, in a letter. It
counts at once: for the next decision, and for what is being delivered at this
moment. It is in core.consents with the source "weir", which no run replaces, and in
the ledger. Nothing is ever changed: record what holds now, and the latest counts.

A grant needs --purpose and --proof; a restriction without a purpose or channel is
for all of them.`,
		Example: `  weir consent record jo@example.org --action withdrawn --purpose marketing.newsletter --channel email --author jane --proof "call 2026-117"
  weir consent record phone:+33612345678 --action objected --author jane --proof "letter of 3 May"
  weir consent record jo@example.org --action granted --purpose marketing.newsletter --channel email --explicit --proof "form 12" \
    --notice newsletter-3 --notice-text notices/newsletter-3.txt --occurred 2026-05-03 --expires 2028-05-03`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.About, o.Author = args[0], author(o.Author)
			if occurred != "" {
				if o.OccurredAt, err = moment("occurred", occurred); err != nil {
					return err
				}
			}
			if expires != "" {
				if o.ExpiresAt, err = moment("expires", expires); err != nil {
					return err
				}
			}
			if notice != "" {
				if o.NoticeText, err = os.ReadFile(notice); err != nil {
					return weir.Errorf(weir.Invalid, "the notice can't be read: %w", err).Then("name the file with the text that was shown")
				}
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				r, err := pl.house.RecordConsent(ctx, pl.project, o)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(r)
				}
				a.printf("recorded: %s, %s by %s, from %s UTC on\nledger: %s\n", r.Statement.Action, orAll(r.Statement.Purpose), orAll(r.Statement.Channel), when(r.Statement.OccurredAt), r.Head)
				if r.Nobody {
					a.sayf("weir: no profile holds %s:%s now: the statement counts once one does; if the address is misspelt, record it anew for the right one\n", r.Statement.Kind, r.Statement.Value)
				} else if r.Statement.Action != weir.Granted && r.Statement.Action != weir.Signal && r.Statement.Action != weir.Unrestricted {
					a.printf("next: weir run decide activate removes them where they are held\n")
				}
				return nil
			})
		},
	}
	f := c.Flags()
	f.StringVar(&o.Action, "action", "", "granted, denied, withdrawn, objected, opted_out, suppressed, restricted, …; required")
	f.StringVar(&o.Purpose, "purpose", "", "what for; empty with a restriction: everything")
	f.StringVar(&o.Channel, "channel", "", "email, sms, phone, post, …; empty: all")
	f.StringVar(&o.Author, "author", "", "who records it; default: WEIR_AUTHOR, or who you are to this machine")
	f.StringVar(&o.Proof, "proof", "", "where the proof lies: a form, a call, a letter")
	f.StringVar(&o.Basis, "basis", "", "the legal basis that is claimed; default: consent")
	f.BoolVar(&o.Explicit, "explicit", false, "said expressly, as special categories need")
	f.BoolVar(&o.Guardian, "guardian", false, "a parent or guardian said it")
	f.StringVar(&o.Jurisdiction, "jurisdiction", "", "a country as in FR, or a country and region as in US-CA")
	f.StringVar(&o.Notice, "notice", "", "id of the notice that was shown")
	f.StringVar(&notice, "notice-text", "", "file with the notice's text, of which the hash is kept")
	f.StringVar(&o.Method, "method", "", "how it was said; of a signal: tcf, gpp, usp, gpc or google; default: desk")
	f.StringVar(&o.Signal, "signal", "", "the signal as it was sent, with --action signal")
	f.StringVar(&occurred, "occurred", "", "when it was said, RFC 3339 or a date; default: now")
	f.StringVar(&expires, "expires", "", "when it ends by itself")
	_ = c.MarkFlagRequired("action")
	return c
}

func (a *app) consentForget() *cobra.Command {
	var f stages.Forgetting
	var yes bool
	c := &cobra.Command{
		Use: "forget KIND:VALUE…", Short: "Make what the ledger holds of a person unreadable, for good",
		Long: `Destroys the salts of a person's addresses. What the ledger has sealed of them
(address, key, proof, signal, actor) can't be read any more, in no snapshot; that it
was said, and all hashes, stay, and "weir consent verify" passes as before. It can't
be undone. That it was done, by whom and why, is an entry of the ledger, without the
person: name a ticket, not a name.

It forgets in the ledger alone. Where core.consents still holds statements about an
address, it refuses: the next run would seal them anew. Erase them at their source
first. Copies of salts in backups live as long as those.`,
		Example: `  weir consent forget email:jo@example.org phone:+33612345678 --author dpo --reason "erasure request 2026-77" --yes`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Addresses = weir.Identifiers{}
			for _, ref := range args {
				kind, value, err := stages.Address(ref)
				if err != nil {
					return err
				}
				f.Addresses.Add(kind, value)
			}
			f.Author = author(f.Author)
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				if err := a.agree(fmt.Sprintf("Forget %s for good?", plural(int64(len(args)), "address", "addresses")), yes, weir.Errorf(weir.Invalid, "nothing is forgotten").Then("it can't be undone; do it with --yes")); err != nil {
					return err
				}
				out, err := pl.house.ForgetConsents(ctx, f)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(out)
				}
				a.printf("forgotten: %s, what they said in %s can't be read any more\nledger: %s\n", plural(int64(out.Addresses), "address", "addresses"), plural(int64(out.Entries), "entry", "entries"), out.Head)
				return nil
			})
		},
	}
	c.Flags().StringVar(&f.Author, "author", "", "who decides; default: WEIR_AUTHOR, or who you are to this machine")
	c.Flags().StringVar(&f.Reason, "reason", "", "why, without naming the person; required")
	c.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	c.Flags().BoolVar(&f.Held, "although-held", false, "also where core.consents still holds statements")
	return c
}

// plural counts in words.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

func (a *app) consentVerify() *cobra.Command {
	var head bool
	var expect string
	c := &cobra.Command{
		Use: "verify", Short: "Check that the ledger of consents is whole and unchanged",
		Long: `Computes every leaf, every batch's Merkle root and the chain of all batches anew, and
compares the chain with its copy outside of the tables. Names the batch and the entry
where something was altered, removed, inserted or put in another order, where a batch
is gone, or the end was cut off. Exit code 1 then.

The head stands for all that the ledger holds. Note it where nobody who can write to
the lake can change it; "verify --expect HEAD" later fails where what it stood for was
rewritten, even by somebody who could change everything.`,
		Example: `  weir consent verify
  weir consent verify --head >> heads.txt
  weir consent verify --expect 12:5f0c…`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				r, err := pl.house.VerifyLedger(ctx, expect)
				if err != nil {
					return err
				}
				switch {
				case a.json:
					err = a.printJSON(r)
				case head && len(r.Faults) == 0:
					a.printf("%s\n", r.Head)
				case len(r.Faults) == 0:
					a.printf("%s in %s: whole and unchanged\nhead %s\n", plural(r.Entries, "entry", "entries"), plural(r.Batches, "batch", "batches"), r.Head)
				}
				if err != nil || len(r.Faults) == 0 {
					return err
				}
				var lines []string
				for _, f := range r.Faults {
					lines = append(lines, f.String())
				}
				broken := weir.Errorf(weir.Conflict, "the ledger of consents is not what it was:\n  %s", strings.Join(lines, "\n  ")).
					Then("keep the lake as it is, find out who wrote to it, and restore it from a backup")
				if a.json {
					a.sayf("weir: %v\n", broken)
					return &told{broken}
				}
				return broken
			})
		},
	}
	c.Flags().BoolVar(&head, "head", false, "print the head alone, to note it down")
	c.Flags().StringVar(&expect, "expect", "", "a head that was noted: it must be in the chain")
	return c
}

func (a *app) consentEvidence() *cobra.Command {
	var html bool
	var output, now string
	c := &cobra.Command{
		Use: "evidence KIND:VALUE | EMAIL | PROFILE_ID", Short: "One person's evidence: what was said, decided and sent, with proof",
		Long: `Gathers what was said by a person, with the proof that it is in the ledger; what was
decided on it for each activation, by which rules, on which entries; and what was sent
where. The page needs nothing else, and can be printed.`,
		Example: `  weir consent evidence jo@example.org -o jo.html
  weir consent evidence p_abc --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := moment("now", now)
			if err != nil {
				return err
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				d, err := pl.house.Evidence(ctx, pl.project, args[0], at)
				if err != nil {
					return err
				}
				if a.json && output == "" {
					return a.printJSON(d)
				}
				if !html && output == "" {
					a.showDossier(d)
					return nil
				}
				return a.writeDossier(d, output)
			})
		},
	}
	c.Flags().BoolVar(&html, "html", false, "as a page, on standard output")
	c.Flags().StringVarP(&output, "output", "o", "", "write to a file: a page, or with --json that")
	c.Flags().StringVar(&now, "now", "", "the time that the document bears, RFC 3339")
	return c
}

func (a *app) writeDossier(d stages.Dossier, output string) error {
	var b bytes.Buffer
	if a.json {
		inner := *a
		inner.out = &b
		if err := inner.printJSON(d); err != nil {
			return err
		}
	} else if err := d.WritePage(&b); err != nil {
		return err
	}
	if output == "" {
		_, err := a.out.Write(b.Bytes())
		return err
	}
	if err := os.WriteFile(output, b.Bytes(), 0o600); err != nil {
		return weir.Errorf(weir.Invalid, "write the evidence: %w", err).Then("name a file in a folder that can be written")
	}
	a.sayf("weir: wrote %s; it names a person\n", output)
	if a.json {
		return a.printJSON(map[string]string{"output": output})
	}
	return nil
}

func (a *app) showDossier(d stages.Dossier) {
	a.printf("ledger %s\n", d.Head)
	a.showLedger(dossierLines(d))
	var rows [][]string
	for _, m := range d.Decisions {
		var rests []string
		for _, n := range m.RestsOn {
			rests = append(rests, fmt.Sprint(n))
		}
		var rules []string
		for _, r := range m.Rules {
			rules = append(rules, r.Code+" "+r.Title+" ("+r.Law+")")
		}
		rows = append(rows, []string{when(m.At), m.Activation, yes(m.Allow), strings.Join(rules, "; "), strings.Join(rests, " ")})
	}
	a.section("DECIDED (UTC)\tACTIVATION\tALLOWED\tBY\tON ENTRIES", rows)
	rows = nil
	for _, s := range d.Sent {
		rows = append(rows, []string{when(s.At), s.Activation, s.Destination, string(s.Op), cell(s.DeliveredKey), s.Status, cell(s.Reply)})
	}
	a.section("SENT (UTC)\tACTIVATION\tTO\tOP\tKEY\tSTATUS\tREPLY", rows)
}

func dossierLines(d stages.Dossier) []stages.LedgerLine {
	out := make([]stages.LedgerLine, len(d.Entries))
	for i, e := range d.Entries {
		out[i] = e.LedgerLine
	}
	return out
}

// showLedger writes entries of the ledger as a table.
func (a *app) showLedger(lines []stages.LedgerLine) {
	var rows [][]string
	for _, l := range lines {
		said, action, supersedes := "", string(l.Change), ""
		if l.Said != nil {
			said, action = l.Said.Kind+":"+cell(l.Said.Value), string(l.Said.Action)+", "+string(l.Change)
		}
		if l.Supersedes != 0 {
			supersedes = fmt.Sprint(l.Supersedes)
		}
		rows = append(rows, []string{fmt.Sprint(l.Entry), fmt.Sprint(l.Batch), when(l.At), action, orAll(l.Purpose), orAll(l.Channel), when(l.OccurredAt), said, supersedes})
	}
	a.section("ENTRY\tBATCH\tKNOWN SINCE (UTC)\tSAYS\tPURPOSE\tCHANNEL\tSAID (UTC)\tFOR\tINSTEAD OF", rows)
}
