/*
 * Words by which sampled values are known as names of people and towns. Common ones of many languages: a column of
 * names holds enough of them, whoever stands in it; other columns hold next to none.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** In lower case. */
export const commonGivenNames = words(`
  james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony mark donald steven paul andrew joshua
  kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin
  samuel gregory frank alexander raymond patrick jack dennis jerry tyler aaron jose adam nathan henry peter zachary kyle noah ethan oliver liam
  mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty margaret sandra ashley kimberly emily donna michelle carol
  amanda dorothy melissa deborah stephanie rebecca sharon laura cynthia kathleen amy angela shirley anna brenda pamela emma nicole helen samantha
  katherine christine debra rachel carolyn janet catherine maria heather diane ruth julie olivia joyce virginia victoria kelly lauren christina joan
  evelyn judith megan andrea cheryl hannah jacqueline martha gloria teresa ann sara madison frances kathryn janice jean abigail alice julia
  hans klaus jürgen wolfgang stefan andreas martin uwe bernd frank dieter heinz günter lukas leon finn jonas felix maximilian moritz
  ursula monika petra sabine renate helga brigitte ingrid claudia susanne katrin anja lena lea mia sophie johanna charlotte
  pierre jean michel philippe alain jacques luc louis nicolas françois antoine camille chloé léa manon inès marie nathalie isabelle sylvie
  juan luis carlos jorge antonio manuel francisco javier miguel rafael pedro pablo sergio fernando diego alejandro ana carmen lucía sofía isabel paula elena marta
  joão josé rui nuno tiago ricardo bruno gonçalo paulo vasco diogo beatriz inês mariana catarina rita joana leonor matilde teresa margarida filipa
  marco giuseppe giovanni luigi andrea francesco matteo lorenzo giulia chiara francesca alessia valentina martina
  jan piotr krzysztof tomasz andrzej paweł anna katarzyna małgorzata agnieszka barbara ewa magdalena
  lars anders erik johan karl nils sven björn astrid ingrid karin birgitta freja ida maja
  ivan dmitry sergei alexei vladimir olga natalia tatiana irina svetlana elena anastasia
  mohammed muhammad ahmed ali omar hassan hussein ibrahim youssef khalid fatima aisha maryam zainab layla noor amina
  wei li ming jing yan fang lei jun hui xin yuki haruto sakura hiroshi kenji akira min-jun ji-woo seo-yeon
  raj amit rahul priya anjali arjun vikram sunita deepak pooja neha ravi sanjay anita
  mehmet mustafa emre ayşe fatma zeynep elif kwame chidi amara ngozi thabo lerato`);

/** In lower case. */
export const commonSurnames = words(`
  smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor moore jackson martin
  lee perez thompson white harris sanchez clark ramirez lewis robinson walker young allen king wright scott torres nguyen hill flores green adams nelson
  baker hall rivera campbell mitchell carter roberts murphy kelly evans edwards collins stewart morris rogers reed cook morgan bell
  müller schmidt schneider fischer weber meyer wagner becker schulz hoffmann koch bauer richter klein wolf schröder neumann schwarz zimmermann braun
  bernard dubois durand moreau laurent lefebvre leroy roux bertrand fournier girard
  garcía martínez gonzález rodríguez fernández lópez sánchez pérez gómez díaz muñoz jiménez ruiz álvarez romero
  silva santos ferreira pereira oliveira costa rodrigues martins sousa fernandes gonçalves gomes marques alves almeida ribeiro pinto carvalho teixeira moreira
  rossi russo ferrari esposito bianchi romano colombo ricci marino greco
  nowak kowalski wiśniewski wójcik kamiński lewandowski hansen johansen olsen larsen andersson johansson karlsson nilsson jensen nielsen
  ivanov petrov smirnov kuznetsov popov khan ali ahmed hussain wang li zhang liu chen yang huang zhao wu kim park choi tanaka suzuki sato singh kumar sharma patel gupta yılmaz kaya demir`);

/** In lower case. */
export const commonTowns = words(`
  london paris berlin madrid rome lisbon vienna prague warsaw budapest amsterdam brussels copenhagen stockholm oslo helsinki dublin athens zurich geneva
  munich hamburg cologne frankfurt stuttgart barcelona valencia seville porto milan naples turin lyon marseille toulouse bordeaux antwerp rotterdam
  manchester birmingham glasgow edinburgh liverpool leeds bristol chicago houston phoenix philadelphia dallas austin seattle denver boston miami atlanta
  detroit portland toronto montreal vancouver sydney melbourne brisbane tokyo osaka seoul beijing shanghai mumbai delhi bangalore singapore bangkok jakarta
  manila istanbul ankara moscow kyiv bucharest sofia belgrade zagreb cairo lagos nairobi casablanca johannesburg braga coimbra faro köln münchen wien graz salzburg lisboa`);
