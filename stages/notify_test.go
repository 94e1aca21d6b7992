package stages

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
	"github.com/weir-cdp/weir/project"
)

// mailbox is a mail server of one connection after the other; what each was told is
// in the channel once it ended. A mute one takes connections and says nothing.
func mailbox(t *testing.T, mute bool, refuse string) (address string, letters chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	letters = make(chan string, 4)
	held := make(chan struct{})
	t.Cleanup(func() { close(held); l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if mute {
				<-held
				conn.Close()
				continue
			}
			letters <- postman(conn, refuse)
			conn.Close()
		}
	}()
	return l.Addr().String(), letters
}

// postman speaks SMTP (RFC 5321) as far as a client needs it.
func postman(conn net.Conn, refuse string) string {
	var heard strings.Builder
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 box")
	data := false
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		line := lines.Text()
		heard.WriteString(line + "\n")
		verb, _, _ := strings.Cut(line, " ")
		switch {
		case data:
			if line == "." {
				data = false
				say("250 taken")
			}
		case refuse != "" && strings.HasPrefix(line, refuse):
			say("550 no")
		case verb == "DATA":
			data = true
			say("354 go on")
		case verb == "QUIT":
			say("221 bye")
			return heard.String()
		default:
			say("250 yes")
		}
	}
	return heard.String()
}

func notice() activities.Notice {
	return activities.Notice{Workspace: "shop", Schedule: "crm", Run: "r1", Now: noon, Status: "failed", Problems: []string{"collect crm/people: no answer"}}
}

// A failing schedule is told where weir.yaml says: by webhook, by mail, by both.
func TestNotifiedByWebhookAndMail(t *testing.T) {
	posted := make(chan activities.Notice, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var n activities.Notice
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("posted: %v, %s", err, r.Header.Get("Content-Type"))
		}
		posted <- n
	}))
	defer hook.Close()
	address, letters := mailbox(t, false, "")
	p := &project.Project{Notify: project.Notify{Webhook: hook.URL, Email: project.Email{SMTP: address, From: "weir@shop.example", To: []string{"ops@shop.example", "night@shop.example"}}}}
	if err := NewNotifier(p, project.Resolver{}).Notify(t.Context(), notice()); err != nil {
		t.Fatal(err)
	}
	if n := <-posted; n.Schedule != "crm" || n.Status != "failed" || len(n.Problems) != 1 {
		t.Errorf("posted: %+v", n)
	}
	letter := <-letters
	for _, want := range []string{"MAIL FROM:<weir@shop.example>", "RCPT TO:<ops@shop.example>", "RCPT TO:<night@shop.example>", "Subject: weir shop: schedule of crm failed", "collect crm/people: no answer"} {
		if !strings.Contains(letter, want) {
			t.Errorf("the letter lacks %q:\n%s", want, letter)
		}
	}
}

// A place that refuses, is away or hangs is an error that names it, and keeps no
// other place from being told.
func TestNotifyingThatFailsIsAnErrorAndStopsNoOther(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	defer refusing.Close()
	address, letters := mailbox(t, false, "")
	email := project.Email{SMTP: address, From: "weir@shop.example", To: []string{"ops@shop.example"}}
	err := NewNotifier(&project.Project{Notify: project.Notify{Webhook: refusing.URL, Email: email}}, project.Resolver{}).Notify(t.Context(), notice())
	if err == nil || !strings.Contains(err.Error(), "notify.webhook answered 410") {
		t.Errorf("a webhook that refuses: %v", err)
	}
	if letter := <-letters; !strings.Contains(letter, "schedule of crm") {
		t.Errorf("no letter went out:\n%s", letter)
	}
	mute, _ := mailbox(t, true, "")
	strict, _ := mailbox(t, false, "RCPT")
	for what, address := range map[string]string{"hangs": mute, "refuses": strict, "is away": "127.0.0.1:1"} {
		email.SMTP = address
		n := NewNotifier(&project.Project{Notify: project.Notify{Email: email}}, project.Resolver{})
		n.wait = 200 * time.Millisecond
		if err := n.Notify(t.Context(), notice()); weir.CodeOf(err) != weir.Unavailable || !strings.Contains(err.Error(), address) {
			t.Errorf("a mail server that %s: %v", what, err)
		}
	}
}
