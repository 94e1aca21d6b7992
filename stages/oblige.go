package stages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
)

// obliged is a row as it may go under its class's obligations. Its checksum is of what
// is sent, and of what the destination has to do with it: so the row goes anew when an
// obligation changes, and, where it is kept apart by classes, when its class says
// something else (policies.Part): another revision of the policy alone sends nothing.
func obliged(a weir.ActivationDef, row weir.AudienceRow, part string, obligations map[string]string) (weir.AudienceRow, error) {
	if len(obligations) == 0 {
		return row, nil
	}
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(row.Fields), &fields); err != nil {
		return row, weir.Errorf(weir.Internal, "a row of %s can't be read: %w", a.Name, err)
	}
	for name, v := range policies.Obliged(a, obligations, row.Key, row.ProfileID) {
		if text, ok := v.(string); ok {
			v = "=" + text
		}
		fields[name] = v
	}
	text, err := json.Marshal(fields) // keys sorted
	if err != nil {
		return row, weir.Errorf(weir.Internal, "a row of %s can't be written: %w", a.Name, err)
	}
	h := sha256.New()
	h.Write(text)
	if there := policies.AtDestination(obligations); len(there) > 0 {
		said, err := json.Marshal(there) // keys sorted
		if err != nil {
			return row, weir.Errorf(weir.Internal, "obligations can't be written: %w", err)
		}
		h.Write(append([]byte{0}, said...))
		if _, apart := there[policies.PartitionByClass]; apart {
			_, _ = io.WriteString(h, "\x00"+part)
		}
	}
	row.Fields, row.Checksum = string(text), hex.EncodeToString(h.Sum(nil)[:12])
	return row.Digested(), nil
}

// underClass is obliged by a recorded class.
func underClass(a weir.ActivationDef, row weir.AudienceRow, class weir.DecisionClass) (weir.AudienceRow, error) {
	if class.Obligations == "" || class.Obligations == "{}" {
		return row, nil
	}
	var o map[string]string
	if err := json.Unmarshal([]byte(class.Obligations), &o); err != nil {
		return row, weir.Errorf(weir.Internal, "the obligations of a class of %s can't be read: %w", a.Name, err)
	}
	return obliged(a, row, policies.Part(class), o)
}

// carrier is what an opened destination carries out.
func carrier(d connectors.Destination) policies.Carrier {
	c := policies.Carrier{Obligations: d.Capabilities().Obligations}
	if s, ok := d.(connectors.FieldSender); ok {
		c.Sends = s.Sends
	}
	return c
}

// questioned makes the questions of activations. A destination is opened only where the
// policy may demand something of it: what it carries out is part of the question then.
type questioned struct {
	h    *House
	p    *project.Project
	run  weir.Run
	seen map[string]policies.Carrier // by destination
}

func (h *House) questions(p *project.Project, run weir.Run) *questioned {
	return &questioned{h: h, p: p, run: run, seen: map[string]policies.Carrier{}}
}

func (x *questioned) of(ctx context.Context, gate *policies.Gate, def weir.ActivationDef) (policies.Question, error) {
	destination, _ := x.p.Destination(def.Destination)
	q := policies.Question{Run: x.run, Activation: def, Destination: destination.Privacy, Subject: x.p.Subject, Controller: x.p.Controller}
	names, all := gate.MayOblige(ctx, q)
	if all && !slices.ContainsFunc(names, func(n string) bool { return n != policies.DropFields }) {
		return q, nil
	}
	c, known := x.seen[def.Destination]
	if !known {
		dest, err := x.h.OpenDestination(ctx, x.p, destination)
		if err != nil { // that it carries out nothing would remove everybody there
			return q, err
		}
		c = carrier(dest)
		defer dest.Close()
		x.seen[def.Destination] = c
	}
	q.Carrier = c
	return q, nil
}

func (x *questioned) decider(ctx context.Context, gate *policies.Gate, def weir.ActivationDef) (*policies.Decider, error) {
	q, err := x.of(ctx, gate, def)
	if err != nil {
		return nil, err
	}
	return gate.Decider(q)
}
