package standard

import (
	"strings"

	"github.com/weir-cdp/weir"
)

var actions = func() map[string]weir.Action {
	m := map[string]weir.Action{}
	for action, words := range map[weir.Action]string{
		weir.Granted: `granted grant given give accepted accept accepte acceptee allowed allow optin optedin doubleoptin doubleoptedin
			subscribed subscribe subscription resubscribed resubscribe yes y true t 1 on consent consented agreed agree confirmed confirm
			oui vrai ja wahr si active enabled inscrit abonne abonniert eingewilligt autorise`,
		weir.RefusedConsent: `denied deny refused refuse rejected reject declined decline no n false f 0 off non nein faux falsch
			disallowed disallow notgranted notgiven disabled`,
		weir.Withdrawn: `withdrawn withdraw withdrew withdrawal revoked revoke revocation unsubscribed unsubscribe unsubscription
			unsub removed remove cancelled canceled cancel stop stopped retracted desabonne desinscrit desinscription retire
			abgemeldet widerrufen widerruf baja optout optedout listunsubscribe inactive`,
		weir.Objected:         `objected object objection opposition oppose widersprochen widerspruch`,
		weir.OptedOut:         `optoutsale optoutofsale optedoutofsale saleoptout datasaleoptout donotsell donotsellorshare donotshare ccpaoptout usprivacyoptout`,
		weir.Signal:           `signal gpc globalprivacycontrol tcf gpp usp`,
		weir.Restricted:       `restricted restrict restriction limited limit`,
		weir.OptedOutAds:      `optedoutads optoutads optouttargetedads optoutoftargetedads optedouttargetedads targetedadsoptout optouttargetedadvertising optoutoftargetedadvertising`,
		weir.OptedOutProfiles: `optedoutprofiling optoutprofiling optoutofprofiling profilingoptout`,
		weir.LimitSensitive:   `limitsensitive limitspi limituse limitmyuse limituseofsensitive limituseofmysensitivepersonalinformation`,
		weir.Suppressed:       `suppressed suppress suppression bounced bounce hardbounce complaint complained spamcomplaint donotcontact`,
		weir.Unrestricted:     `unrestricted unrestrict restrictionlifted`,
		weir.ErasureRequested: `erasurerequested erasure erase delete deleted deletion deletionrequest forget forgetme righttobeforgotten rtbf`,
	} {
		for _, w := range strings.Fields(words) {
			m[w] = action
		}
	}
	return m
}()

// Action reads what a consent entry does, in the usual spellings ("opt-in",
// "unsubscribed", "revoked", "yes"). A plain opt-out is a withdrawal; of the
// purposes sale, share, targeted_ads and profiling it is the opt-out that US law
// names. ok is false
// for a text that is none: it must not be taken for a grant, nor be dropped
// unseen.
func Action(s, purpose string) (action weir.Action, ok bool) {
	key := fold(s)
	action, ok = actions[key]
	if action == weir.Withdrawn && (key == "optout" || key == "optedout") {
		switch first, _, _ := strings.Cut(purpose, "."); first {
		case "sale", "share", "sell", "sharing":
			action = weir.OptedOut
		case "targeted_ads", "targeted_advertising", "ads", "advertising":
			action = weir.OptedOutAds
		case "profiling":
			action = weir.OptedOutProfiles
		}
	}
	return action, ok
}

// Widens reports whether an action widens what may be done; all others restrict.
func Widens(a weir.Action) bool { return a == weir.Granted || a == weir.Unrestricted }

// Token writes a purpose, channel or basis: lower case, spaces as underscores.
func Token(s string, c *Context) (string, error) {
	s, err := Text(s, c)
	if err != nil || blank(s) {
		return "", err
	}
	return strings.ReplaceAll(strings.ToLower(s), " ", "_"), nil
}

var channels = map[string]string{
	"email": "email", "mail": "email", "courriel": "email", "newsletter": "email", "sms": "sms", "text": "sms", "textmessage": "sms",
	"phone": "phone", "telephone": "phone", "call": "phone", "tel": "phone", "voice": "phone", "telefon": "phone",
	"post": "post", "postal": "post", "letter": "post", "directmail": "post", "courrier": "post", "brief": "post",
	"push": "push", "pushnotification": "push", "apppush": "push", "web": "web", "onsite": "web", "device": "device", "whatsapp": "whatsapp",
}

// Channel reads a channel's usual spellings; another is kept as Token writes it.
// "all" and its like are "", which means every channel.
func Channel(s string, c *Context) (string, error) {
	key := fold(s)
	if known := channels[key]; known != "" {
		return known, nil
	}
	switch key {
	case "all", "any", "alle", "tous", "toutes", "every", "allchannels":
		return "", nil
	}
	return Token(s, c)
}
