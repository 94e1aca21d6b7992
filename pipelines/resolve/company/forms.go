package company

import "strings"

// The forms are written as tokens gives them: folded, single letters joined, so
// that "S.p.A." is spa and "Sp. z o.o." sp zoo. Words that are a form in one
// country and a common word or a well-known name in others are left out.
const (
	english = `ltd|limited|plc|public limited company|public limited|llp|llc|lp|lllp|pllc|limited liability company|limited liability co|
		limited liability partnership|limited partnership|inc|incorporated|corp|corporation|co|company|cic|community interest company|
		unlimited company|ultd|unltd|ulc|dac|designated activity company|clg|company limited by guarantee|teoranta|teo|cpt|professional corporation|
		private limited company|private limited|private ltd|pvt|pvt limited|p ltd|p limited|pte|pty|proprietary limited|proprietary|proprietary ltd|
		gte|opc|public ltd co|free zone company|fz co|fzllc|llc fz|joint stock co|jsc open|qsc|qpsc|mmc|asc|mchj|sae|sdn bhd|sendirian berhad|bhd|berhad|sdn|jsc|ojsc|cjsc|pjsc|joint stock company|open joint stock company|
		closed joint stock company|public joint stock company|company ltd|fze|fzco|fz llc|fzc|dmcc|wll|bsc|saog|saoc|ksc|kscc|kscp|lc|coop ltd`
	german = `gmbh|ggmbh|mbh|gesmbh|ges|gesellschaft mbh|gesellschaft mit beschrankter haftung|ug|ug haftungsbeschrankt|haftungsbeschrankt|
		unternehmergesellschaft|ag|aktiengesellschaft|kg|kommanditgesellschaft|kommanditgesellschaft auf aktien|kgaa|ohg|offene handelsgesellschaft|
		gbr|gesellschaft burgerlichen rechts|ek|ekfm|ekfr|eingetragener kaufmann|ev|eingetragener verein|eg|eingetragene genossenschaft|egmbh|
		partg|partgmbb|partg mbb|partnerschaftsgesellschaft|partnerschaft mbb|e kfm|e kfr|eingetragene kauffrau|mit beschrankter haftung|mit beschr haftung|
		gesellschaft mit beschraenkter haftung|ges mit beschr haftung|ug haftungsbeschr|aktienges|akt ges|gug|gug haftungsbeschrankt|gag|egbr|egen|sce|eeig|se|societas europaea|se co|vvag|gen|anstalt|ivz`
	french = `sa|societe anonyme|sarl|societe a responsabilite limitee|sas|societe par actions simplifiee|sasu|
		societe par actions simplifiee unipersonnelle|eurl|entreprise unipersonnelle a responsabilite limitee|snc|societe en nom collectif|sci|
		societe civile immobiliere|societe civile|scp|selarl|selas|selurl|selca|scop|scic|scm|scea|earl|gaec|gie|sca|societe en commandite par actions|
		scs|societe en commandite simple|scsp|senc|eirl|asbl|association sans but lucratif|sprl|scrl|scris|sicav|sicaf|sarls|
		societe cooperative|suarl|sarlau|sarl au|spa|ltee|limitee|enr|inc ltee`
	dutch = `bv|besloten vennootschap|besloten vennootschap met beperkte aansprakelijkheid|nv|naamloze vennootschap|vof|vennootschap onder firma|cv|
		commanditaire vennootschap|bvba|cvba|comm v|commv|comm va|vzw|ivzw|eenmanszaak|ebvba|bvio|ua|wa|ba|cooperatief ua|cooperatie ua|maatschap`
	italian = `srl|srls|societa a responsabilita limitata|societa a responsabilita limitata semplificata|societa per azioni|sapa|
		societa in accomandita semplice|societa in accomandita per azioni|societa in nome collettivo|scarl|scrl|scpa|soc coop|soc coop arl|
		soc coop a rl|societa cooperativa|sccrl|srl unipersonale|srl uninominale|spa unipersonale|unipersonale|societa semplice|sagl|onlus|arl|a rl`
	iberian = `sl|sociedad limitada|sociedad de responsabilidad limitada|slu|sociedad limitada unipersonal|sau|sociedad anonima unipersonal|
		sociedad anonima|slne|sll|slp|sal|scl|scoop|s coop|sdad coop|sociedad cooperativa|sociedad civil|sociedad colectiva|
		s en c|s en cs|s en c por a|comunidad de bienes|cb|aie|ute|
		sa de cv|sacv|sociedad en comandita|sociedad en comandita simple|c por a|scei|s de rl|s de rl de cv|srl de cv|sab de cv|sab|sapi|sapi de cv|sociedad anonima de capital variable|
		sociedad por acciones simplificada|sociedad por acciones|saa|sac|saic|saci|sacif|sacifia|saica|ltda|limitada|cia|cia ltda|compania|
		compania limitada|compania anonima|lda|sociedade anonima|sociedade por quotas|unipessoal|unipessoal lda|unipessoal limitada|sgps|eireli|epp|
		cia de cv|sc|sc de rl|sc de rl de cv|sociedad simple`
	nordic = `ab|aktiebolag|aktiebolaget|publ|abp|hb|handelsbolag|kb|kommanditbolag|ekonomisk forening|ek for|as|asa|ans|aksjeselskap|allmennaksjeselskap|
		aktieselskab|anpartsselskab|aps|is|ks|ps|ivs|amba|smba|fmba|interessentskab|kommanditselskab|nuf|sf|oy|oyj|osakeyhtio|julkinen osakeyhtio|ky|
		kommandiittiyhtio|avoin yhtio|tmi|osk|ehf|hf|ohf|slhf|hlutafelag|einkahlutafelag|sp p f|psf`
	central = `sp zoo|spzoo|sp zo o|sp z oo|spolka zoo|spolka z oo|spolka z ograniczona odpowiedzialnoscia|sp k|spk|sp j|spj|sp p|ska|spolka komandytowa|
		spolka akcyjna|spolka jawna|spolka cywilna|spolka komandytowo akcyjna|spolka partnerska|psa|prosta spolka akcyjna|sro|spol sro|spol s ro|
		spolecnost s rucenim omezenym|spolocnost s rucenim obmedzenym|akciova spolecnost|akciova spolocnost|akc spol|vos|verejna obchodni spolecnost|
		druzstvo|kft|korlatolt felelossegu tarsasag|zrt|nyrt|zartkoruen mukodo reszvenytarsasag|nyilvanosan mukodo reszvenytarsasag|bt|
		beteti tarsasag|rt|kkt|kht|nonprofit kft|pfa|sra|societate cu raspundere limitata|societate pe actiuni|
		doo|d oo|dooel|jdoo|dd|ad|ead|ood|eood|jtd|kda|kd|dno|dioo|drustvo s ogranicenom odgovornoscu|drustvo sa ogranicenom odgovornoscu|
		dionicko drustvo|akcionarsko drustvo|druzba z omejeno odgovornostjo|delniska druzba|
		shpk|sh pk|sha|sh a|shk|sh k|shoqeri me pergjegjesi te kufizuara|shoqeri aksionere|ltd sti|limited sirketi|sti|ltd sirketi|anonim sirketi|anonim sti|komandit sirketi|kollektif sirketi`
	cyrillic = `uab|uzdaroji akcine bendrove|akcine bendrove|mb|sia|sabiedriba ar ierobezotu atbildibu|akciju sabiedriba|ou|osauhing|aktsiaselts|
		ooo|oao|zao|pao|nao|ao|too|tov|prat|pat|chao|odo|obshchestvo s ogranichennoy otvetstvennostyu|
		ооо|оао|зао|пао|нао|ао|ип|одо|тоо|зат|вао|вп|тдв|ват|тов|прат|пат|ат|фоп|пп|чп|чуп|уп|руп|гуп|муп|фгуп|ано|
		общество с ограниченнои ответственностью|акционерное общество|открытое акционерное общество|закрытое акционерное общество|
		публичное акционерное общество|индивидуальныи предприниматель|товариство з обмеженою відповідальністю|
		товариство з обмеженою відповідальністю|публічне акціонерне товариство|приватне акціонерне товариство|акціонерне товариство|
		оод|еоод|ад|еад|ет|сд|доо|дооел|
		αε|επε|ικε|οε|εε|αεβε|αβεε|ανωνυμη εταιρεια|ανωνυμη εταιρια|μονοπροσωπη|εταιρεια περιορισμενης ευθυνης|ae|epe|ike|abee|aebe|
		בע מ|בעמ|ltd בעמ|شمم|ذمم|شمل|شمك`
	asian = `kk|gk|kabushiki kaisha|kabushiki gaisha|kabushikikaisha|yugen kaisha|yugen gaisha|godo kaisha|goudou kaisha|tbk|persero|persero tbk|
		tnhh|cong ty tnhh|cong ty co phan|ctcp|pcl|public company limited|pub co ltd|jv co|lcc`

	// front are forms that stand before the name.
	front = `ооо|оао|зао|пао|нао|ао|ип|одо|тоо|тов|прат|пат|ат|фоп|пп|чп|чуп|ет|ooo|oao|zao|pao|nao|ao|too|tov|
		общество с ограниченнои ответственностью|акционерное общество|открытое акционерное общество|закрытое акционерное общество|
		публичное акционерное общество|индивидуальныи предприниматель|товариство з обмеженою відповідальністю|
		публічне акціонерне товариство|приватне акціонерне товариство|акціонерне товариство|
		llc|jsc|ojsc|cjsc|pjsc|limited liability company|joint stock company|open joint stock company|public joint stock company|
		sa|societe anonyme|sarl|societe a responsabilite limitee|sas|societe par actions simplifiee|sasu|eurl|snc|sci|societe civile immobiliere|
		scp|selarl|selas|scea|earl|gaec|gie|asbl|sprl|vzw|bvba|bv|nv|
		ab|aktiebolaget|aktiebolag|oy|oy ab|uab|sia|ou|as|pt|cv|kk|kabushiki kaisha|cong ty tnhh|cong ty co phan|soc coop|societa cooperativa`

	// named are forms that are also a whole name, when another form follows: BT plc.
	named = `bt|ba|sas|se|sci|eg|bsc|sac|pat|sal|dd|gie`
)

// unspaced are the forms of languages that write no spaces; a name begins or ends
// with them. NFKC writes ㈱ as (株), whose brackets are gone here, so that 株 is a
// form only as a word of its own.
var unspaced = []string{"股份有限公司", "有限责任公司", "有限責任公司", "有限公司", "株式会社", "株式會社", "有限会社", "合同会社", "合資会社", "合名会社",
	"주식회사", "유한회사", "유한책임회사", "บริษัท", "จํากัด", "จำกัด"}

var (
	after  = set(english, german, french, dutch, italian, iberian, nordic, central, cyrillic, asian, "株|有|주|유")
	before = set(front, "pt persero|株|有|주|유")
	names  = set(named)
	// longest is how many words a form has.
	longest = func() int {
		n := 0
		for _, m := range []map[string]bool{after, before} {
			for f := range m {
				n = max(n, strings.Count(f, " ")+1)
			}
		}
		return n
	}()
)

func set(lists ...string) map[string]bool {
	m := map[string]bool{}
	for _, list := range lists {
		for _, f := range strings.Split(list, "|") {
			m[strings.Join(tokens(f), " ")] = true
		}
	}
	return m
}
