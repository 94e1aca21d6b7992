package stages

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/smtp"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
	"github.com/weir-cdp/weir/project"
)

// Notifier tells the people named in weir.yaml of a schedule that failed.
type Notifier struct {
	to      project.Notify
	secrets project.Resolver
	client  *http.Client
	wait    time.Duration // for a mail server, at most
}

// notifyWait bounds how long one place may take.
const notifyWait = 20 * time.Second

// NewNotifier makes the notifier of a project.
func NewNotifier(p *project.Project, secrets project.Resolver) *Notifier {
	return &Notifier{to: p.Notify, secrets: secrets, client: &http.Client{Timeout: notifyWait}, wait: notifyWait}
}

// Notify implements activities.Notifier: it writes to every place that is
// configured, and fails if one could not be reached.
func (n *Notifier) Notify(ctx context.Context, notice activities.Notice) error {
	var errs []error
	if n.to.Webhook != "" {
		errs = append(errs, n.post(ctx, notice))
	}
	if n.to.Email.SMTP != "" {
		errs = append(errs, n.mail(ctx, notice))
	}
	return errors.Join(errs...)
}

func (n *Notifier) post(ctx context.Context, notice activities.Notice) error {
	url, err := n.secrets.Text(n.to.Webhook)
	if err != nil {
		return err
	}
	body, err := json.Marshal(notice)
	if err != nil {
		return weir.Errorf(weir.Internal, "encode notice: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return weir.Errorf(weir.Invalid, "notify.webhook is no URL").At("weir.yaml")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := n.client.Do(req)
	if err != nil {
		return weir.Errorf(weir.Unavailable, "notify.webhook does not answer").At("weir.yaml")
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return weir.Errorf(weir.Unavailable, "notify.webhook answered %s", resp.Status).At("weir.yaml")
	}
	return nil
}

func (n *Notifier) mail(ctx context.Context, notice activities.Notice) error {
	e := n.to.Email
	host, _, err := net.SplitHostPort(e.SMTP)
	if err != nil {
		return weir.Errorf(weir.Invalid, "notify.email.smtp is not host:port").At("weir.yaml")
	}
	var auth smtp.Auth
	if e.Username != "" {
		password, err := n.secrets.Text(e.Password)
		if err != nil {
			return err
		}
		auth = smtp.PlainAuth("", e.Username, password, host)
	}
	text := fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: weir %s: schedule of %s %s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nRun %s, due %s: %s\r\n%s\r\n",
		e.From, strings.Join(e.To, ", "), notice.Workspace, notice.Schedule, notice.Status, notice.Run, notice.Now.Format(time.RFC3339), notice.Status,
		strings.Join(notice.Problems, "\r\n"))
	if err := n.send(ctx, host, auth, text); err != nil {
		return weir.Errorf(weir.Unavailable, "send mail through %s: %w", e.SMTP, err).At("weir.yaml").Then("check notify.email")
	}
	return nil
}

// send is smtp.SendMail with an end: a server that hangs is given up.
func (n *Notifier) send(ctx context.Context, host string, auth smtp.Auth, text string) (err error) {
	e := n.to.Email
	ctx, cancel := context.WithTimeout(ctx, n.wait)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", e.SMTP)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer func() {
		if err != nil {
			_ = c.Close()
		}
	}()
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	}
	if auth != nil {
		if err := c.Auth(auth); err != nil {
			return err
		}
	}
	if err := c.Mail(e.From); err != nil {
		return err
	}
	for _, to := range e.To {
		if err := c.Rcpt(to); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}
